import { expect, test } from 'vitest'
import { encodeFrame, FrameReader, frameTypes, largestFrame, words } from '../../../qemu/frame.ts'

const frames = [
  { type: frameTypes.hello, id: 0, payload: Buffer.from('6.12.0') },
  { type: frameTypes.stdout, id: 7, payload: Buffer.alloc(1000, 'x') },
  { type: frameTypes.pong, id: 0, payload: Buffer.alloc(0) },
  { type: frameTypes.exit, id: 0xffffffff, payload: words(3, 0) },
]
const bytes = Buffer.concat(frames.map(({ type, id, payload }) => encodeFrame(type, id, payload)))

test.each([1, 11, 12, 13, 64, bytes.length])('frames come out whole from chunks of %i bytes', (size) => {
  const reader = new FrameReader()
  const read = []
  for (let at = 0; at < bytes.length; at += size)
    for (const { type, id, payload } of reader.push(bytes.subarray(at, at + size)))
      read.push({ type, id, payload: Buffer.from(payload) })
  expect(read).toEqual(frames)
})

test('a frame the guest would refuse is not made', () => {
  expect(() => encodeFrame(frameTypes.exec, 1, Buffer.alloc(largestFrame + 1))).toThrow(/the guest takes 262144/)
})
