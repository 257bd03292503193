import { usageError } from '../errors.ts'
import type { Source } from './source.ts'

type Target = { readonly hz: number }

/** PERF_TYPE_SOFTWARE and PERF_COUNT_SW_CPU_CLOCK (linux/perf_event.h): an hrtimer a CPU, on every board. */
const software = 1
const cpuClock = 0n
/** Far above kernel.perf_event_max_sample_rate's default; the kernel says no to what it will not do. */
const highest = 100_000

export const profile: Source<Target> = {
  usage: 'profile:hz:N',
  summary: 'N times a second on every CPU',
  program: 'on_sample',
  innermost: 'instruction',

  parse(rest, typed) {
    const found = /^hz:(\d+)$/.exec(rest)
    const hz = Number(found?.[1])
    if (found === null) throw usageError(typed, `not of the form ${profile.usage}`, 'for example profile:hz:99')
    if (hz < 1 || hz > highest) throw usageError(typed, `the rate has to be from 1 to ${highest} a second`)
    return { hz }
  },

  globals: () => ({}),

  attach(target, attacher) {
    attacher.sample(software, cpuClock, BigInt(target.hz))
  },
}
