import { expect, test } from 'vitest'
import { json } from '../../../runner/formats/json.ts'
import { madeReport, madeStack } from '../made-samples.ts'
import { hostile, report } from './made-report.ts'

function rendered(of: typeof report): string {
  return [...json.render(of, true)].join('')
}

const address = (low: number) => `0xaaaa0000000${low}`
const kernelAddress = (low: number) => `0xffff80008000000${low}`

const opened = {
  ...{ event: 'kprobe:do_sys_openat2', count: 30, comm: 'demo', pid: 4711 },
  kernel: [
    { address: kernelAddress(0), symbol: 'do_sys_openat2', offset: '0x0', object: 'kernel' },
    { address: kernelAddress(1), symbol: '__arm64_sys_openat', offset: '0x18', object: 'kernel' },
    { address: kernelAddress(2), symbol: 'virtio_probe', offset: '0x8', object: 'virtio' },
  ],
  user: [
    { address: address(0), symbol: 'open64', offset: '0x44', object: '/usr/lib/libc.so.6' },
    { address: address(1), offset: '0x1234', object: '/opt/libdemo.so' },
    { address: address(2), symbol: 'main', offset: '0x10', object: '/opt/pie demo' },
    { address: address(3) },
  ],
}

const spun = (count: number, offset: string) => ({
  ...{ event: 'profile:hz:99', count, comm: 'demo', pid: 4711, kernel: [] },
  user: [
    { address: address(0), symbol: 'spin', offset, object: '/opt/a' },
    { address: address(1), symbol: 'main', offset: '0x8', object: '/opt/a' },
  ],
  ...{ kernelCut: true, userStray: true },
})

test('a whole report, each stack by itself', () => {
  const text = rendered(report)
  expect(JSON.parse(text)).toStrictEqual({
    events: ['kprobe:do_sys_openat2', 'profile:hz:99'],
    depth: 127,
    kernelRelease: '6.12.0-arm64',
    arch: 'arm64',
    totals: { seen: 50, counted: 45, lost: { 'table full': 3, 'stack not sent': 2, 'too many stacks': 0 }, missed: 7 },
    stacks: [
      opened,
      {
        ...{ event: 'kprobe:do_sys_openat2', count: 10, comm: 'sh', pid: 12, tid: 13 },
        kernel: [{ address: kernelAddress(0), symbol: 'do_sys_openat2', offset: '0x0', object: 'kernel' }],
        ...{ user: [], userErrno: 14 },
      },
      spun(3, '0x4'),
      spun(2, '0xc'),
    ],
  })
  expect(text.endsWith('}\n')).toBe(true)
})

test('each side says for itself what it lacks', () => {
  const stack = madeStack({ kernelState: { cut: false, errno: 95 }, userState: { cut: true, errno: 0 } })
  expect(JSON.parse(rendered(madeReport({ stacks: [stack] })))).toMatchObject({
    stacks: [{ kernelErrno: 95, userCut: true }],
  })
  expect(rendered(madeReport({ stacks: [stack] }))).not.toMatch(/userErrno|kernelCut|userStray|tid/)
})

test('addresses are whole, beyond what a number holds', () => {
  const stack = madeStack({ user: [{ side: 'user', address: 2n ** 64n - 1n, offset: 2n ** 53n + 1n, object: '/a' }] })
  expect(rendered(madeReport({ stacks: [stack] }))).toMatch(
    /"address": "0xffffffffffffffff",\n +"offset": "0x20000000000001"/,
  )
})

test('hostile names come through whole, but no terminal obeys them', () => {
  const text = rendered(hostile)
  const [stack] = (JSON.parse(text) as { stacks: Record<string, unknown>[] }).stacks
  expect(stack).toEqual({
    ...{ event: 'kprobe:a\x1b[2J', count: 1, comm: 'a;b\\x0a\\x1b]0;\\x07\\u202e', pid: 4711 },
    kernel: [{ address: '0x0', symbol: 'k\r;\x9b31m', offset: '0x4', object: 'm\x00d' }],
    user: [
      { address: '0x0', symbol: 'a;b 7\n\u202e\u2028c\\', offset: '0x0', object: '/tmp/\x1b[31m;\n' },
      { address: '0x0', offset: '0x10', object: '/tmp/x;\u2066y' },
    ],
  })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what may not be there
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
})
