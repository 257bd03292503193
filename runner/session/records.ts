import type { Sample, SideState } from '../types.ts'

/**
 * The layouts of bpf/stacks.h, in bytes. test/unit/session/records.test.ts
 * compares them with the BTF of the built object.
 */
export const layout = {
  key: { size: 48, hash: 0, tgid: 16, tid: 20, event: 24, flags: 28, comm: 32 },
  count: { size: 16, events: 0, announced: 8 },
  record: { size: 80, key: 0, weight: 48, tid: 52, kernelFrames: 56, userFrames: 60, time: 64, caller: 72, frames: 80 },
  totals: { seen: 0, counted: 1, streamed: 2, unsent: 3 },
  flags: { kernelCut: 0x1, userCut: 0x2, kernelErrno: 8, userErrno: 16 },
} as const

const commLength = 16

/** A key's bytes as a string: what Map can tell apart. */
export function keyOf(bytes: Buffer, offset: number): string {
  return bytes.toString('latin1', offset, offset + layout.key.size)
}

/** Decodes one fp_record; throws RangeError where the lengths inside it do not add up. */
export function decodeRecord(bytes: Buffer): Sample {
  const { record, key, flags } = layout
  const kernelFrames = bytes.readUInt32LE(record.kernelFrames)
  const userFrames = bytes.readUInt32LE(record.userFrames)
  const flagBits = bytes.readUInt32LE(record.key + key.flags)
  const split = record.frames + 8 * kernelFrames
  return {
    event: bytes.readUInt32LE(record.key + key.event),
    tgid: bytes.readUInt32LE(record.key + key.tgid),
    tid: bytes.readUInt32LE(record.key + key.tid),
    time: bytes.readBigUInt64LE(record.time),
    comm: cString(bytes, record.key + key.comm, commLength),
    weight: bytes.readUInt32LE(record.weight),
    kernel: addresses(bytes, record.frames, kernelFrames),
    user: addresses(bytes, split, userFrames),
    caller: bytes.readBigUInt64LE(record.caller),
    kernelState: side(flagBits, flags.kernelCut, flags.kernelErrno),
    userState: side(flagBits, flags.userCut, flags.userErrno),
  }
}

function side(flagBits: number, cut: number, errnoShift: number): SideState {
  return { cut: (flagBits & cut) !== 0, errno: (flagBits >>> errnoShift) & 0xff }
}

function addresses(bytes: Buffer, offset: number, length: number): bigint[] {
  return Array.from({ length }, (_, index) => bytes.readBigUInt64LE(offset + 8 * index))
}

function cString(bytes: Buffer, offset: number, room: number): string {
  const end = bytes.subarray(offset, offset + room).indexOf(0)
  return bytes.toString('latin1', offset, offset + (end < 0 ? room : end))
}
