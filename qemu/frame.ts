/** What host and agent say to each other; qemu/agent/agent.c is the other speaker. */
export const frameTypes = {
  exec: 1,
  stdin: 2,
  signal: 3,
  credit: 4,
  ping: 5,
  hello: 6,
  started: 7,
  stdout: 8,
  stderr: 9,
  exit: 10,
  pong: 11,
} as const

export interface Frame {
  readonly type: number
  /** The command's; 0 where no command is meant. */
  readonly id: number
  readonly payload: Buffer
}

/** Bytes either side may send of a stream before the other grants more. */
export const stdinWindow = 64 << 10
export const largestFrame = 256 << 10
const headerBytes = 12

export function encodeFrame(type: number, id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  if (payload.length > largestFrame)
    throw new RangeError(`a frame of ${payload.length} bytes: the guest takes ${largestFrame}`)
  return Buffer.concat([words(type, id, payload.length), payload])
}

export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, at) => {
    bytes.writeUInt32LE(value, at * 4)
  })
  return bytes
}

/** Puts frames together from a stream's chunks, wherever these are cut. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  *push(chunk: Buffer): Generator<Frame> {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    while (this.#held.length >= headerBytes) {
      const end = headerBytes + this.#held.readUInt32LE(8)
      if (this.#held.length < end) return
      const frame = this.#held.subarray(0, end)
      this.#held = this.#held.subarray(end)
      yield { type: frame.readUInt32LE(0), id: frame.readUInt32LE(4), payload: frame.subarray(headerBytes) }
    }
  }
}
