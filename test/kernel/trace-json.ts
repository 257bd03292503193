import { expect } from 'vitest'
import type { Guest, RunOptions } from '../../qemu/guest.ts'

/** What `fpstack trace --format json` prints, as far as tests look at it. */
export interface TraceJson {
  readonly totals: { readonly seen: number; readonly counted: number; readonly lost: Readonly<Record<string, number>> }
  readonly stacks: readonly StackJson[]
}

export interface StackJson {
  readonly event: string
  readonly count: number
  readonly comm: string
  readonly pid: number
  readonly tid?: number
  readonly kernel: readonly FrameJson[]
  readonly user: readonly FrameJson[]
  readonly kernelCut?: boolean
  readonly userCut?: boolean
  readonly userStray?: boolean
}

export interface FrameJson {
  readonly address: string
  readonly symbol?: string
  readonly offset?: string
  readonly object?: string
}

/** Runs a trace to its end, holds what must hold of any, and gives what it printed. */
export async function traceJson(guest: Guest, args: readonly string[], options: RunOptions = {}): Promise<TraceJson> {
  const bar = args.indexOf('--')
  const own = bar < 0 ? args : args.slice(0, bar)
  const command = bar < 0 ? [] : args.slice(bar)
  // COMMAND shares standard output, so the result goes to a file.
  const argv = ['fpstack', 'trace', ...own, '--format', 'json', '-o', '/tmp/trace.json', ...command]
  const run = await guest.run(argv, { timeoutMs: 120_000, ...options })
  expect(run, run.stderr).toMatchObject({ code: 0, signal: null })
  return readTrace(guest)
}

export async function readTrace(guest: Guest): Promise<TraceJson> {
  const trace: TraceJson = JSON.parse((await guest.run(['cat', '/tmp/trace.json'])).stdout)
  const { seen, counted, lost } = trace.totals
  expect(seen).toBe(counted + Object.values(lost).reduce((sum, events) => sum + events, 0))
  expect(counted).toBe(trace.stacks.reduce((sum, stack) => sum + stack.count, 0))
  return trace
}

export function symbols(frames: readonly FrameJson[]): string[] {
  return frames.map((frame) => frame.symbol ?? `${frame.object ?? ''}+${frame.offset ?? frame.address}`)
}

/** Stacks that passed through demo_open_configuration_file's chain: pie programs open their libraries as well. */
export function totalOf(stacks: readonly StackJson[]): number {
  return stacks.reduce((sum, stack) => sum + stack.count, 0)
}
