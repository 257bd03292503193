import { usageError } from '../errors.ts'
import { parseEvent } from '../sources/index.ts'
import type { TracePlan } from '../types.ts'

/** FP_MAX_DEPTH of bpf/stacks.h. */
export const maxDepth = 127
/** TASK_COMM_LEN - 1: the kernel keeps no more of a name (linux/sched.h). */
const commBytes = 15
/** FILTER_ENTRIES of bpf/filter.bpf.h. */
const maxFiltered = 1024
/** setTimeout(3) of Node counts in int32 milliseconds. */
const longestSeconds = 2_147_483

/** The trace command's options, as typed. */
export interface TraceOptions {
  readonly comm?: readonly string[]
  readonly pid?: readonly string[]
  readonly duration?: string
  readonly count?: string
  readonly kernelOnly?: boolean
  readonly userOnly?: boolean
  readonly perThread?: boolean
  readonly depth?: string
}

/** Turns what was typed into a plan, or throws a usage error. Asks the board nothing. */
export function planTrace(events: readonly string[], options: TraceOptions, command: readonly string[]): TracePlan {
  if (events.length === 0) {
    throw usageError('the command line', 'no event to trace', 'for example fpstack trace kprobe:do_sys_openat2')
  }
  const twice = events.find((text, index) => events.indexOf(text) < index)
  if (twice !== undefined) throw usageError(twice, 'the event is given twice')
  const depth = options.depth === undefined ? maxDepth : wholeNumber('--depth', options.depth, 1, maxDepth)
  const eventLimit = options.count === undefined ? undefined : wholeNumber('--count', options.count, 1, 2 ** 53 - 1)
  return deepFreeze<TracePlan>({
    object: 'stacks.bpf.o',
    events: events.map((text) => parseEvent(text)),
    globals: {
      take_kernel: { type: 'bool', value: options.userOnly !== true },
      take_user: { type: 'bool', value: options.kernelOnly !== true },
      by_thread: { type: 'bool', value: options.perThread === true },
      depth: { type: 'u32', value: depth },
      filter_comm: { type: 'bool', value: options.comm !== undefined },
      filter_tgid: { type: 'bool', value: options.pid !== undefined },
      event_limit: { type: 'u64', value: BigInt(eventLimit ?? 0) },
    },
    comms: comms(options.comm ?? []),
    tgids: tgids(options.pid ?? []),
    durationMs: options.duration === undefined ? undefined : milliseconds('--duration', options.duration),
    eventLimit,
    depth,
    command: [...command],
  })
}

function comms(names: readonly string[]): string[] {
  if (names.length > maxFiltered) throw usageError('--comm', `${names.length} names are given, ${maxFiltered} can be`)
  return names.map((name) => {
    if (name === '') throw usageError('--comm', 'the name is empty')
    return Buffer.from(name).subarray(0, commBytes).toString('latin1')
  })
}

function tgids(typed: readonly string[]): number[] {
  if (typed.length > maxFiltered) throw usageError('--pid', `${typed.length} are given, ${maxFiltered} can be`)
  return typed.map((pid) => wholeNumber('--pid', pid, 1, 2 ** 22))
}

function wholeNumber(option: string, typed: string, low: number, high: number): number {
  const value = /^\d+$/.test(typed) ? Number(typed) : Number.NaN
  if (value >= low && value <= high) return value
  throw usageError(`${option} ${typed}`, `not a whole number from ${low} to ${high}`)
}

function milliseconds(option: string, typed: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(typed) ? Number(typed) : Number.NaN
  if (seconds > 0 && seconds <= longestSeconds) return Math.max(1, Math.round(seconds * 1000))
  throw usageError(
    `${option} ${typed}`,
    `not a number of seconds above 0 and up to ${longestSeconds}`,
    'for example 5 or 0.5',
  )
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
