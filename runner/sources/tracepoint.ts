import { usageError } from '../errors.ts'
import type { Source } from './source.ts'

type Target = { readonly category: string; readonly name: string }

export const tracepoint: Source<Target> = {
  usage: 'tracepoint:CATEGORY:NAME',
  summary: 'a static kernel tracepoint is passed',
  program: 'on_tracepoint',
  // The registers are made up where the tracepoint is called (perf_fetch_caller_regs of linux/perf_event.h).
  innermost: 'return',

  parse(rest, typed) {
    // No slash and no leading dot: both parts become a path below tracefs.
    const found = /^(\w[\w-]*):(\w[\w-]*)$/.exec(rest)
    const [, category, name] = found ?? []
    if (category === undefined || name === undefined) {
      throw usageError(typed, `not of the form ${tracepoint.usage}`, 'for example tracepoint:sched:sched_switch')
    }
    return { category, name }
  },

  globals: () => ({}),

  attach(target, attacher) {
    attacher.tracepoint(target.category, target.name)
  },
}
