import { expect, test } from 'vitest'
import { fold, hottestFirst } from '../../runner/fold.ts'
import type { Stack } from '../../runner/types.ts'
import { kernelFrames, madeStack, userFrames } from './made-samples.ts'

const open = { kernel: kernelFrames('do_sys_openat2+0 kernel'), user: userFrames('open64+68 /libc.so.6', 'main+16 /a') }

test('stacks that read the same are one, with the sum of their weights', () => {
  const stacks = [madeStack({ ...open, weight: 3 }), madeStack({ ...open, weight: 4 })]
  expect(fold(stacks)).toEqual([madeStack({ ...open, weight: 7 })])
})

test('a frame keeps its offset only where all agree on it', () => {
  const stacks = [4, 8, 8].map((offset) => madeStack({ user: userFrames(`spin+${offset} /a`, 'main+16 /a') }))
  const [merged, ...others] = fold(stacks)
  expect(others).toEqual([])
  expect(merged?.weight).toBe(3)
  expect(merged?.user.map(({ symbol, offset }) => [symbol, offset])).toEqual([
    ['spin', undefined],
    ['main', 16n],
  ])
})

test('an offset that was dropped stays dropped, in whatever order stacks come', () => {
  for (const offsets of [
    [4, 8, 4],
    [4, 4, 8],
  ]) {
    const [merged] = fold(offsets.map((offset) => madeStack({ user: userFrames(`spin+${offset} /a`) })))
    expect(merged?.user[0]).not.toHaveProperty('offset')
  }
})

const whole = { cut: false, errno: 0 }

test.each<[string, Partial<Stack>, Partial<Stack>]>([
  ['event', { event: 'kprobe:a' }, { event: 'kprobe:b' }],
  ['name', { comm: 'a' }, { comm: 'b' }],
  ['process', { tgid: 1 }, { tgid: 2 }],
  ['thread', { tid: 1 }, { tid: 2 }],
  ['kernel cut', { kernelState: { ...whole, cut: true } }, { kernelState: whole }],
  ['user cut', { userState: { ...whole, cut: true } }, { userState: whole }],
  ['errno', { userState: { ...whole, errno: 14 } }, { userState: whole }],
  ['stray walk', { userStray: true }, { userStray: false }],
  ['function', { user: userFrames('a+4 /a') }, { user: userFrames('b+4 /a') }],
  ['object', { user: userFrames('a+4 /a') }, { user: userFrames('a+4 /b') }],
  ['depth', { user: userFrames('a+4 /a') }, { user: userFrames('a+4 /a', 'a+4 /a') }],
  ['side', { user: userFrames('a+4 /a') }, { kernel: userFrames('a+4 /a') }],
  ['place without a name', { user: userFrames('+4 /a') }, { user: userFrames('+8 /a') }],
  ['place without anything', { user: userFrames('') }, { user: [{ side: 'user', address: 7n }] }],
  ['name, where there is one', { user: userFrames('+4 /a') }, { user: userFrames('4+4 /a') }],
  [
    'split of object and symbol',
    { user: [{ side: 'user', address: 1n, symbol: 'b c', object: 'a' }] },
    { user: [{ side: 'user', address: 1n, symbol: 'c', object: 'a b' }] },
  ],
  [
    'split of symbol and object',
    { user: userFrames('a+4 b c') },
    { user: [{ side: 'user', address: 1n, symbol: 'a b', object: 'c' }] },
  ],
])('what differs by %s is not merged', (_, a, b) => {
  expect(fold([madeStack(a), madeStack(b)])).toHaveLength(2)
})

test('the hottest comes first, and equals come in an order of their own', () => {
  const stacks = ['c', 'a', 'b', 'd'].map((comm) => madeStack({ comm, weight: comm === 'd' ? 9 : 1 }))
  expect(fold(stacks).map(({ comm }) => comm)).toEqual(['d', 'a', 'b', 'c'])
  expect(fold([...stacks].reverse()).map(({ comm }) => comm)).toEqual(['d', 'a', 'b', 'c'])
  expect(hottestFirst([...stacks].reverse())).toEqual(hottestFirst(stacks))
})

test('to put them in order merges nothing and changes nothing', () => {
  const stacks = [madeStack({ ...open }), madeStack({ ...open })]
  expect(hottestFirst(stacks)).toEqual(stacks)
  expect(fold([])).toEqual([])
})
