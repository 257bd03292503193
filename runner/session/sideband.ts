import { errnoText, failure } from '../errors.ts'
import type { Addon, SidebandHandle } from '../native.ts'
import type { Mapping, ProcessEvent } from '../types.ts'

/** Record types and flags of perf_event_open(2). */
const PERF_RECORD_LOST = 2
const PERF_RECORD_COMM = 3
const PERF_RECORD_EXIT = 4
const PERF_RECORD_FORK = 7
const PERF_RECORD_MMAP2 = 10
const PERF_RECORD_MISC_COMM_EXEC = 1 << 13
/** PROT_EXEC of mmap(2): nothing else holds code. */
const PROT_EXEC = 4

/** Pages of buffer a CPU: some 2,000 mappings of 4 KiB pages, between two looks a quarter of a second apart. */
const pages = 64
/** The most one record can take, its size being 16 bits, for every CPU that has one at the end. */
const room = 1 << 20

/** Turns of reading: enough for what 32 CPUs can hold, and not for ever while others go on filling. */
const turns = 8

/**
 * What every process starts, maps and ends, noted by the kernel as it happens,
 * so that a stack can be named when its process has long ended.
 */
export class Sideband {
  readonly #addon: Addon
  readonly #handle: SidebandHandle
  readonly #room = Buffer.allocUnsafe(room)

  constructor(addon: Addon) {
    const handle = addon.openSideband(pages)
    if (typeof handle === 'number') throw failure('watch', 'what processes map', errnoText(handle))
    this.#addon = addon
    this.#handle = handle
  }

  /** All that was noted until this call, in the order it happened. */
  take(): ProcessEvent[] {
    const events: ProcessEvent[] = []
    for (let turn = 0; turn < turns; turn++) {
      const used = this.#addon.readSideband(this.#handle, this.#room)
      if (used === 0) break
      for (let at = 0; at < used; ) {
        const size = this.#room.readUInt16LE(at + 6)
        const event = decode(this.#room.subarray(at, at + size))
        if (event !== undefined) events.push(event)
        at += size
      }
    }
    // Each CPU has a buffer of its own; the times bring them together.
    return events.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
  }

  close(): void {
    this.#addon.closeSideband(this.#handle)
  }
}

function decode(record: Buffer): ProcessEvent | undefined {
  const tgid = record.readUInt32LE(8)
  // sample_id_all puts pid, tid and time at every record's end.
  const time = record.readBigUInt64LE(record.length - 8)
  switch (record.readUInt32LE(0)) {
    case PERF_RECORD_MMAP2: {
      const holdsCode = (record.readUInt32LE(64) & PROT_EXEC) !== 0
      return holdsCode ? { kind: 'map', time, tgid, mapping: mappingOf(record) } : undefined
    }
    case PERF_RECORD_COMM: {
      const isExec = (record.readUInt16LE(4) & PERF_RECORD_MISC_COMM_EXEC) !== 0
      return isExec ? { kind: 'exec', time, tgid } : undefined
    }
    case PERF_RECORD_FORK:
      return forkOf(record, time)
    case PERF_RECORD_EXIT:
      // Of each thread; the process goes with its first.
      return tgid === record.readUInt32LE(16) ? { kind: 'exit', time, tgid } : undefined
    case PERF_RECORD_LOST:
      return { kind: 'lost', time }
    default:
      return undefined
  }
}

/** A new thread is no new process. */
function forkOf(record: Buffer, time: bigint): ProcessEvent | undefined {
  const tgid = record.readUInt32LE(8)
  const parent = record.readUInt32LE(12)
  return tgid === parent ? undefined : { kind: 'fork', time, tgid, parent }
}

/** struct { header; u32 pid, tid; u64 addr, len, pgoff; u32 maj, min; u64 ino, ino_generation; u32 prot, flags; char filename[] }. */
function mappingOf(record: Buffer): Mapping {
  const start = record.readBigUInt64LE(16)
  const name = record.subarray(72, record.length - 16)
  const end = name.indexOf(0)
  const path = name.toString('utf8', 0, end < 0 ? name.length : end)
  return {
    start,
    end: start + record.readBigUInt64LE(24),
    offset: record.readBigUInt64LE(32),
    device: `${hex2(record.readUInt32LE(40))}:${hex2(record.readUInt32LE(44))}`,
    inode: record.readBigUInt64LE(48),
    // perf's word for memory without a file (kernel/events/core.c, perf_event_mmap_event).
    path: path === '//anon' ? '' : path,
  }
}

/** %02x, as /proc/PID/maps has it. */
function hex2(value: number): string {
  return value.toString(16).padStart(2, '0')
}
