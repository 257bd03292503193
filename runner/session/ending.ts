import type { Host, TracePlan } from '../types.ts'

/** What ended a trace. */
export type Ending = 'signal' | 'duration' | 'count' | 'command' | 'enter'

const interrupted = 130
const terminated = 143

export interface EndWatch {
  /** The duration counts from here: to load and attach takes a slow board a good part of a second. */
  armed(): void
  /** Lets go of all that was watched. */
  release(): void
}

/**
 * Calls stop at the first of: SIGINT, SIGTERM, SIGHUP, Enter on a terminal, the duration. A
 * second signal ends the process at once.
 */
export function watchForEnd(host: Host, plan: TracePlan, stop: (why: Ending) => void): EndWatch {
  let signals = 0
  const releases: (() => void)[] = []
  releases.push(
    host.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], (name) => {
      if (++signals > 1) host.abort(name === 'SIGINT' ? interrupted : terminated)
      stop('signal')
    }),
  )
  // COMMAND inherits standard input: what is typed then is for it.
  if (host.input.isTTY && plan.command.length === 0) {
    const entered = () => stop('enter')
    host.input.once('data', entered)
    releases.push(() => {
      host.input.off('data', entered)
      host.input.pause()
    })
  }
  return {
    armed() {
      if (plan.durationMs === undefined) return
      const timer = setTimeout(() => stop('duration'), plan.durationMs)
      releases.push(() => clearTimeout(timer))
    },
    release() {
      for (const release of releases) release()
    },
  }
}
