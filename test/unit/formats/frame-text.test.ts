import { expect, test } from 'vitest'
import { frameText, objectText } from '../../../runner/formats/frame-text.ts'
import type { Frame } from '../../../runner/types.ts'

const frame = { side: 'user', address: 0xaaaabbbb1234n } as const

test.each<[string, Frame, string, string]>([
  [
    'with a symbol',
    { ...frame, symbol: 'open64', offset: 0x44n, object: '/lib/libc.so.6' },
    'open64+0x44',
    'libc.so.6',
  ],
  ['at the start of one', { ...frame, symbol: 'open64', offset: 0n, object: '/lib/libc.so.6' }, 'open64', 'libc.so.6'],
  ['whose offsets differ', { ...frame, symbol: 'open64' }, 'open64', ''],
  ['without a symbol', { ...frame, offset: 0x1234n, object: '/a/b c' }, 'b c+0x1234', 'b c'],
  ['at the start of an object', { ...frame, offset: 0n, object: '[vdso]' }, '[vdso]+0x0', '[vdso]'],
  ['without anything', frame, '0xaaaabbbb1234', ''],
  ['of a deleted file', { ...frame, offset: 1n, object: '/tmp/a (deleted)' }, 'a (deleted)+0x1', 'a (deleted)'],
])('a frame %s', (_, given, text, object) => {
  expect(frameText(given)).toBe(text)
  expect(objectText(given)).toBe(object)
})
