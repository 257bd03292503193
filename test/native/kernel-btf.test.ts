import { expect, test } from 'vitest'
import { largestBtf } from '../../scripts/cross/kernel-btf.ts'

function btf(types: number, strings: string): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0x0001eb9f, 0)
  header.writeUInt32LE(24, 4)
  header.writeUInt32LE(types, 12)
  header.writeUInt32LE(types, 16)
  header.writeUInt32LE(strings.length, 20)
  return Buffer.concat([header, Buffer.alloc(types, 1), Buffer.from(strings, 'latin1')])
}

const code = Buffer.alloc(100, 0x9f)

test('the largest BTF in an image is the kernel’s', () => {
  const module = btf(12, '\0module\0')
  const kernel = btf(4000, '\0task_struct\0')
  expect(largestBtf(Buffer.concat([code, module, code, kernel, code]))?.equals(kernel)).toBe(true)
})

test('a magic number in code is not one', () => {
  const cutOff = btf(4000, '\0int\0').subarray(0, 200)
  const unended = btf(40, '\0int')
  expect(largestBtf(Buffer.concat([code, unended, cutOff]))).toBeUndefined()
})
