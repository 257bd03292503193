import { errnoText, failure } from '../errors.ts'
import type { Addon, ObjectHandle } from '../native.ts'
import type { Totals } from '../types.ts'
import { keyOf, layout } from './records.ts'

const ENOSPC = -28
/** Entries a batch; the kernel wants room for all of a hash bucket at once. */
const firstBatch = 1024

/** Walks the table of counts. Nothing may be attached any more: entries would move under the cursor. */
export function* readCounts(addon: Addon, object: ObjectHandle): Generator<{ key: string; events: number }> {
  const cursor = Buffer.alloc(layout.key.size + 8)
  for (let batch = firstBatch; ; ) {
    const keys = Buffer.alloc(batch * layout.key.size)
    const values = Buffer.alloc(batch * layout.count.size)
    const entries = addon.readMap(object, 'counts', cursor, keys, values)
    if (entries === 0) return
    if (entries === ENOSPC) batch *= 2
    else if (entries < 0) throw failure('read', 'the table of counts', errnoText(entries))
    for (let index = 0; index < entries; index++) {
      const events = values.readBigUInt64LE(index * layout.count.size + layout.count.events)
      yield { key: keyOf(keys, index * layout.key.size), events: Number(events) }
    }
  }
}

/** What user space knows of the sums, in events. */
export interface Known {
  /** Their key has a count, but its stack never came. */
  readonly unsent: number
  /** Sent one by one, and not kept. */
  readonly dropped: number
  /** Kept from our programs by the kernel. */
  readonly missed: number
}

/** Sums every CPU's totals. */
export function readTotals(addon: Addon, object: ObjectHandle, { unsent, dropped, missed }: Known): Totals {
  const cpuSize = addon.maps(object).find((map) => map.name === 'cpus')?.valueSize ?? 0
  const stride = (cpuSize + 7) & ~7
  const values = Buffer.alloc(stride * addon.possibleCpus())
  const answer = addon.lookup(object, 'cpus', Buffer.alloc(4), values)
  if (answer < 0) throw failure('read', 'the totals', errnoText(answer))
  const total = (slot: number): number => {
    let sum = 0
    for (let at = 0; at < values.length; at += stride) sum += Number(values.readBigUInt64LE(at + 8 * slot))
    return sum
  }
  const { totals } = layout
  return {
    seen: total(totals.seen),
    counted: total(totals.counted) + total(totals.streamed) - unsent - dropped,
    lost: { 'table full': total(totals.unsent), 'stack not sent': unsent, 'too many stacks': dropped },
    missed,
  }
}
