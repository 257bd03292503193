import type { EventPlan, Global } from '../types.ts'

/** What a source asks of a live session: each call attaches one thing or throws an FpstackError. */
export interface Attacher {
  kprobe(symbol: string, offset: number): void
  tracepoint(category: string, name: string): void
  /** Samples on every online CPU; frequency in Hz. type and config as perf_event_open(2) has them. */
  sample(type: number, config: bigint, frequency: bigint): void
}

/** An event source: one file here, one line in index.ts. */
export interface Source<Target extends EventPlan['target']> {
  /** "kprobe:FUNCTION[+OFFSET]", for help and errors. */
  readonly usage: string
  readonly summary: string
  /** The program of stacks.bpf.o that takes its stacks. */
  readonly program: string
  /** What the innermost kernel address of its stacks is (EventPlan). */
  readonly innermost: EventPlan['innermost']
  /** Reads what follows "kind:". Throws a usage error that names the event as typed. */
  parse(rest: string, typed: string): Target
  /** Globals this target needs set. */
  globals(target: Target): Readonly<Record<string, Global>>
  attach(target: Target, attacher: Attacher): void
}
