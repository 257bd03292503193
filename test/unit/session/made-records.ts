import { layout } from '../../../runner/session/records.ts'

/** What tells one made stack from another. */
export interface Made {
  /** Stands for the hash, and makes up the frames. */
  readonly stack: number
  readonly event?: number
  readonly weight?: number
}

/** Bytes of an fp_key. */
export function madeKey({ stack, event = 0 }: Made): Buffer {
  const key = Buffer.alloc(layout.key.size)
  key.writeBigUInt64LE(BigInt(stack), layout.key.hash)
  key.writeUInt32LE(4711, layout.key.tgid)
  key.writeUInt32LE(event, layout.key.event)
  key.write('demo', layout.key.comm)
  return key
}

/** Bytes of an fp_record with one kernel and one user frame. */
export function madeRecord(made: Made): Buffer {
  const record = Buffer.alloc(layout.record.size + 16)
  madeKey(made).copy(record)
  record.writeUInt32LE(made.weight ?? 0, layout.record.weight)
  record.writeUInt32LE(1, layout.record.kernelFrames)
  record.writeUInt32LE(1, layout.record.userFrames)
  record.writeBigUInt64LE(0xffff800080000000n + BigInt(made.stack), layout.record.frames)
  record.writeBigUInt64LE(0xaaaa00000000n + BigInt(made.stack), layout.record.frames + 8)
  return record
}
