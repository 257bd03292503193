import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { planTrace, type TraceOptions } from '../../../runner/plan/trace-plan.ts'
import { watchForEnd } from '../../../runner/session/ending.ts'
import type { Host } from '../../../runner/types.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

interface Watched {
  readonly ends: string[]
  readonly aborts: number[]
  readonly input: PassThrough
  signal(name: NodeJS.Signals): void
  armed(): void
  release(): void
}

function watched(options: TraceOptions = {}, command: readonly string[] = [], isTTY = false): Watched {
  const ears = new Map<NodeJS.Signals, (name: NodeJS.Signals) => void>()
  const aborts: number[] = []
  const input = Object.assign(new PassThrough(), { isTTY })
  const host: Host = {
    ...{ out: new PassThrough(), err: new PassThrough(), input, colours: false, folder: '/', pid: 1, version: '0' },
    onSignal(names, call) {
      for (const name of names) ears.set(name, call)
      return () => {
        for (const name of names) ears.delete(name)
      }
    },
    abort: (code) => aborts.push(code),
  }
  const ends: string[] = []
  const { armed, release } = watchForEnd(host, planTrace(['kprobe:vfs_read'], options, command), (why) =>
    ends.push(why),
  )
  return { ends, aborts, input, armed, release, signal: (name) => ears.get(name)?.(name) }
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends the trace and no more', (name) => {
  const { ends, aborts, signal } = watched()
  signal(name)
  expect(ends).toEqual(['signal'])
  expect(aborts).toEqual([])
})

test.each([
  ['SIGINT', 'SIGINT', 130],
  ['SIGTERM', 'SIGINT', 130],
  ['SIGINT', 'SIGTERM', 143],
  ['SIGTERM', 'SIGTERM', 143],
] as const)('%s and then %s ends the process at once', (first, second, code) => {
  const { aborts, signal } = watched()
  signal(first)
  signal(second)
  expect(aborts).toEqual([code])
})

test('the duration ends it, to the millisecond', () => {
  const { ends, armed } = watched({ duration: '2.5' })
  armed()
  vi.advanceTimersByTime(2499)
  expect(ends).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ends).toEqual(['duration'])
})

test('loading takes nothing away from the duration', () => {
  const { ends } = watched({ duration: '1' })
  vi.advanceTimersByTime(5000)
  expect(ends).toEqual([])
})

test('the longest duration does not overflow a timer into an instant', () => {
  const { ends, armed } = watched({ duration: '2147483' })
  armed()
  vi.advanceTimersByTime(2_147_482_999)
  expect(ends).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ends).toEqual(['duration'])
})

test('without a duration no time ends it', () => {
  const { ends, armed } = watched()
  armed()
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(1e9)
  expect(ends).toEqual([])
})

/** Streams hand data over on process.nextTick, which stays real. */
async function typed(input: PassThrough): Promise<void> {
  input.write('\n')
  for (let tick = 0; tick < 5; tick++) await Promise.resolve().then(() => new Promise(process.nextTick))
}

test('Enter on a terminal ends it, once', async () => {
  const { ends, input } = watched({}, [], true)
  await typed(input)
  await typed(input)
  expect(ends).toEqual(['enter'])
})

test.each([
  ['not a terminal', [], false],
  ['a terminal that COMMAND reads', ['sh'], true],
] as const)('input that is %s is left alone', async (_, command, isTTY) => {
  const { ends, input } = watched({}, command, isTTY)
  await typed(input)
  expect(ends).toEqual([])
  expect(input.listenerCount('data')).toBe(0)
  expect(input.readableFlowing).toBe(null)
})

test('released, nothing ends it any more and nothing keeps Node running', async () => {
  const { ends, aborts, input, signal, armed, release } = watched({ duration: '1' }, [], true)
  armed()
  release()
  vi.advanceTimersByTime(5000)
  signal('SIGINT')
  await typed(input)
  expect([...ends, ...aborts]).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
  expect(input.isPaused()).toBe(true)
})
