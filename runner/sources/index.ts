import { usageError } from '../errors.ts'
import type { EventPlan } from '../types.ts'
import { kprobe } from './kprobe.ts'
import { profile } from './profile.ts'
import type { Attacher, Source } from './source.ts'
import { tracepoint } from './tracepoint.ts'

/** Every event source by its kind, the word before the first colon. */
const sources = {
  kprobe: bound(kprobe),
  tracepoint: bound(tracepoint),
  profile: bound(profile),
} satisfies Record<string, BoundSource>

/** A source whose target's type stays its own affair. */
interface BoundSource {
  readonly usage: string
  readonly summary: string
  plan(rest: string, typed: string): Omit<EventPlan, 'kind' | 'text'>
  attach(target: EventPlan['target'], attacher: Attacher): void
}

function bound<Target extends EventPlan['target']>(source: Source<Target>): BoundSource {
  return {
    usage: source.usage,
    summary: source.summary,
    plan(rest, typed) {
      const target = source.parse(rest, typed)
      const { program, innermost } = source
      return { target, program, innermost, globals: source.globals(target) }
    },
    // Only what this source's parse made comes back here, under the kind it was filed by.
    attach: (target, attacher) => source.attach(target as Target, attacher),
  }
}

function sourceOf(kind: string, typed: string): BoundSource {
  const source = Object.entries(sources).find(([name]) => name === kind)?.[1]
  if (source !== undefined) return source
  throw usageError(typed, `no kind of event is called "${kind}"`, `the kinds are ${Object.keys(sources).join(', ')}`)
}

/** Reads an event as typed. */
export function parseEvent(typed: string): EventPlan {
  const colon = typed.indexOf(':')
  const kind = colon < 0 ? typed : typed.slice(0, colon)
  const source = sourceOf(kind, typed)
  return { text: typed, kind, ...source.plan(colon < 0 ? '' : typed.slice(colon + 1), typed) }
}

export function attachEvent(event: EventPlan, attacher: Attacher): void {
  sourceOf(event.kind, event.text).attach(event.target, attacher)
}

/** A line a source for `fpstack help trace`. */
export function eventUsage(): string[] {
  const widest = Math.max(...Object.values(sources).map((source) => source.usage.length))
  return Object.values(sources).map((source) => `${source.usage.padEnd(widest)}  ${source.summary}`)
}
