import { expect, test } from 'vitest'
import { encodeGlobal } from '../../../runner/session/globals.ts'
import type { Global } from '../../../runner/types.ts'

test.each<{ global: Global; hex: string }>([
  { global: { type: 'bool', value: true }, hex: '01' },
  { global: { type: 'bool', value: false }, hex: '00' },
  { global: { type: 'u32', value: 0x01020304 }, hex: '04030201' },
  { global: { type: 'u32', value: 0xffffffff }, hex: 'ffffffff' },
  { global: { type: 'u64', value: 0x0102030405060708n }, hex: '0807060504030201' },
  { global: { type: 'u64', value: 2n ** 64n - 1n }, hex: 'ffffffffffffffff' },
])('the $global.type $global.value has the bytes of C', ({ global, hex }) => {
  expect(Buffer.from(encodeGlobal(global)).toString('hex')).toBe(hex)
})
