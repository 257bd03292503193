import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { onlineCpus } from '../../../runner/kernel/cpus.ts'
import { planTrace, type TraceOptions } from '../../../runner/plan/trace-plan.ts'
import { type Harvest, Session } from '../../../runner/session/session.ts'
import type { Sample } from '../../../runner/types.ts'
import { FakeAddon } from './fake-addon.ts'
import { madeKey, madeRecord } from './made-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpstack-session-'))
writeFileSync(join(folder, 'stacks.bpf.o'), 'object')
afterAll(() => rmSync(folder, { recursive: true }))

const failed = (message: string) => expect.objectContaining({ code: 'failure', message })

interface Setting {
  readonly events?: readonly string[]
  readonly options?: TraceOptions
}

function made({ events = ['kprobe:vfs_read'], options = {} }: Setting = {}): { addon: FakeAddon; session: Session } {
  const addon = new FakeAddon()
  return { addon, session: new Session(addon, planTrace(events, options, [])) }
}

function armed(setting: Setting = {}): { addon: FakeAddon; session: Session } {
  const both = made(setting)
  both.session.open(folder, 77)
  both.session.attach()
  return both
}

/** Stops once the addon has no more batches, as a person would. */
async function drained(session: Session, addon: FakeAddon): Promise<Sample[]> {
  const samples: Sample[] = []
  const stop = setInterval(() => addon.batches.length === 0 && session.stop(), 1)
  for await (const batch of session.drain()) samples.push(...batch.samples)
  clearInterval(stop)
  return samples
}

function finished(session: Session): { late: Sample[]; harvest: Harvest } {
  const late: Sample[] = []
  const left = session.finish()
  for (;;) {
    const next = left.next()
    if (next.done) return { late, harvest: next.value }
    late.push(...next.value.samples)
  }
}

const stacks = (samples: readonly Sample[]) => samples.map(({ user }) => Number((user[0] ?? 0n) & 0xffffn))
const weights = (samples: readonly Sample[]) =>
  new Map(samples.map(({ user, weight }) => [stacks([{ user }] as Sample[])[0], weight]))

test('everything happens in one order, and is undone in reverse', () => {
  const { addon, session } = armed({ events: ['kprobe:vfs_read+4', 'tracepoint:sched:sched_switch'] })
  session.close()
  const globals = (at_entry: string[], event_index: string) => [
    ...['set take_kernel to 01 in', 'set take_user to 01 in', 'set by_thread to 00 in', 'set depth to 7f000000 in'],
    ...['set filter_comm to 00 in', 'set filter_tgid to 00 in', 'set event_limit to 0000000000000000 in'],
    ...[
      'set own_tgid to 4d000000 in',
      'set kernel_depth to 7f000000 in',
      'set seed_0 to anything in',
      'set seed_1 to anything in',
    ],
    ...at_entry,
    `set event_index to ${event_index} in`,
  ]
  expect(addon.calls).toEqual([
    'open stacks.bpf.o of 6 bytes',
    ...['select on_kprobe of', 'leave out on_tracepoint of', 'leave out on_sample of'].map(
      (call) => `${call} object 1`,
    ),
    ...globals(['set at_entry to 00 in'], '00000000').map((call) => `${call} object 1`),
    'load object 1',
    'open stacks.bpf.o of 6 bytes',
    ...['leave out on_kprobe of', 'select on_tracepoint of', 'leave out on_sample of'].map(
      (call) => `${call} object 2`,
    ),
    ...globals([], '01000000').map((call) => `${call} object 2`),
    ...['cpus', 'counts', 'taken', 'records', 'comms', 'tgids'].map((map) => `share ${map} of object 1 with object 2`),
    'load object 2',
    'listen to records',
    'watch with 64 pages',
    'attach on_kprobe to vfs_read+4 by object 1',
    'attach on_tracepoint to sched:sched_switch by object 2',
    ...['close link 1', 'close link 2', 'close ring 1', 'close sideband 1', 'close object 2', 'close object 1'],
  ])
})

test('filters are filled before anything is attached', () => {
  const { addon } = armed({ options: { comm: ['sh', 'größe'], pid: ['258'] } })
  const filled = addon.calls.filter((call) => /^(put|attach)/.test(call))
  expect(filled).toEqual([
    'put 73680000000000000000000000000000=01 into comms of object 1',
    'put 6772c3b6c39f65000000000000000000=01 into comms of object 1',
    'put 02010000=01 into tgids of object 1',
    'attach on_kprobe to vfs_read+0 by object 1',
  ])
})

test('samples are taken on every CPU that is online', () => {
  const { addon } = armed({ events: ['profile:hz:49'] })
  expect(addon.calls.filter((call) => call.startsWith('attach'))).toEqual(
    onlineCpus().map((cpu) => `attach on_sample at 49 Hz on ${cpu} by object 1`),
  )
})

test('a stack is yielded when it is first seen, and gets its weight from its count', async () => {
  const { addon, session } = armed()
  addon.batches.push([madeRecord({ stack: 1 }), madeRecord({ stack: 2 })], [madeRecord({ stack: 3 })])
  addon.counts.push([madeKey({ stack: 1 }), 10], [madeKey({ stack: 2 }), 20], [madeKey({ stack: 3 }), 30])
  addon.totals = [
    [45, 45, 0, 0],
    [15, 15, 0, 0],
  ]
  expect(stacks(await drained(session, addon))).toEqual([1, 2, 3])
  const { late, harvest } = finished(session)
  expect(late).toEqual([])
  expect([...weights(harvest.samples)]).toEqual([
    [1, 10],
    [2, 20],
    [3, 30],
  ])
  expect(harvest.samples[0]).toMatchObject({ tgid: 4711, comm: 'demo', event: 0, kernel: [0xffff800080000001n] })
  expect(harvest.totals).toEqual({
    seen: 60,
    counted: 60,
    lost: { 'table full': 0, 'stack not sent': 0, 'too many stacks': 0 },
    missed: 0,
  })
})

test('what two CPUs announce at once is one stack', async () => {
  const { addon, session } = armed()
  addon.batches.push([madeRecord({ stack: 1 }), madeRecord({ stack: 1 })], [madeRecord({ stack: 1 })])
  addon.counts.push([madeKey({ stack: 1 }), 5])
  addon.totals = [[5, 5, 0, 0]]
  expect(stacks(await drained(session, addon))).toEqual([1])
  const { harvest } = finished(session)
  expect([...weights(harvest.samples)]).toEqual([[1, 5]])
})

test('one stack of two events is two', async () => {
  const { addon, session } = armed({ events: ['kprobe:vfs_read', 'kprobe:vfs_write'] })
  addon.batches.push([madeRecord({ stack: 1 }), madeRecord({ stack: 1, event: 1 })])
  addon.counts.push([madeKey({ stack: 1 }), 5], [madeKey({ stack: 1, event: 1 }), 6])
  addon.totals = [[11, 11, 0, 0]]
  await drained(session, addon)
  expect(finished(session).harvest.samples.map(({ event, weight }) => [event, weight])).toEqual([
    [0, 5],
    [1, 6],
  ])
})

test('events that were sent one by one add up, with a count of their key or without', async () => {
  const { addon, session } = armed()
  const streamed = { weight: 1 }
  addon.batches.push(
    [
      madeRecord({ stack: 1, ...streamed }),
      madeRecord({ stack: 1, ...streamed }),
      madeRecord({ stack: 2, ...streamed }),
    ],
    [madeRecord({ stack: 2 })],
  )
  addon.counts.push([madeKey({ stack: 2 }), 40])
  addon.totals = [[43, 40, 3, 0]]
  expect(stacks(await drained(session, addon))).toEqual([1, 2])
  const { harvest } = finished(session)
  expect([...weights(harvest.samples)]).toEqual([
    [1, 2],
    [2, 41],
  ])
  expect(harvest.totals).toEqual({
    seen: 43,
    counted: 43,
    lost: { 'table full': 0, 'stack not sent': 0, 'too many stacks': 0 },
    missed: 0,
  })
})

test('a count whose stack never came is a loss of its own, and the sum holds', async () => {
  const { addon, session } = armed()
  addon.batches.push([madeRecord({ stack: 1 })])
  addon.counts.push([madeKey({ stack: 1 }), 10], [madeKey({ stack: 2 }), 4], [madeKey({ stack: 3 }), 2])
  addon.totals = [[19, 16, 0, 3]]
  await drained(session, addon)
  const { samples, totals } = finished(session).harvest
  expect([...weights(samples)]).toEqual([[1, 10]])
  expect(totals).toEqual({
    seen: 19,
    counted: 10,
    lost: { 'table full': 3, 'stack not sent': 6, 'too many stacks': 0 },
    missed: 0,
  })
  expect(totals.seen).toBe(totals.counted + totals.lost['table full'] + totals.lost['stack not sent'])
  expect(samples.reduce((sum, { weight }) => sum + weight, 0)).toBe(totals.counted)
})

test('a stack that was announced and never counted is no stack', async () => {
  const { addon, session } = armed()
  addon.batches.push([madeRecord({ stack: 1 })])
  await drained(session, addon)
  expect(finished(session).harvest.samples).toEqual([])
})

test('what arrives between the last drain and the detaching is still read', async () => {
  const { addon, session } = armed()
  addon.lastBatch = [madeRecord({ stack: 7 }), madeRecord({ stack: 8 }), madeRecord({ stack: 9 })]
  addon.counts.push([madeKey({ stack: 9 }), 1])
  addon.totals = [[1, 1, 0, 0]]
  expect(await drained(session, addon)).toEqual([])
  const { late, harvest } = finished(session)
  expect(stacks(late)).toEqual([7, 8, 9])
  expect([...weights(harvest.samples)]).toEqual([[9, 1]])
  expect(addon.calls.at(-1)).toBe('close link 1')
})

test("the kernel's own misses are added over all events", async () => {
  const { addon, session } = armed({ events: ['kprobe:vfs_read', 'profile:hz:99'] })
  addon.missed = 3
  await drained(session, addon)
  expect(finished(session).harvest.totals.missed).toBe(6)
  addon.refusals.set('programStatus', -22)
  expect(finished(session).harvest.totals.missed).toBe(0)
})

/** PERF_RECORD_EXIT of perf_event_open(2). */
function exitOf(tgid: number, time: bigint): Buffer {
  const record = Buffer.alloc(48)
  record.writeUInt32LE(4, 0)
  record.writeUInt16LE(record.length, 6)
  record.writeUInt32LE(tgid, 8)
  record.writeUInt32LE(tgid, 16)
  record.writeBigUInt64LE(time, 40)
  return record
}

test('what processes did comes with the stacks, and without any when none is new', async () => {
  const { addon, session } = armed()
  addon.batches.push([madeRecord({ stack: 1 })])
  addon.sideband.push(exitOf(7, 3n))
  const batches = session.drain()
  const first = (await batches.next()).value
  expect(stacks(first.samples)).toEqual([1])
  expect(first).toMatchObject({ processes: [{ kind: 'exit', tgid: 7, time: 3n }], behind: false })
  addon.sideband.push(exitOf(8, 4n))
  const second = (await batches.next()).value
  expect(second).toEqual({ samples: [], processes: [{ kind: 'exit', tgid: 8, time: 4n }], behind: false })
  session.stop()
  expect((await batches.next()).done).toBe(true)
})

test('a storm is drained in turns, so that signals are heard, and to its end', async () => {
  const { addon, session } = armed()
  // Some 10 MB: more than two turns.
  const storm = Array.from({ length: 100_000 }, (_, stack) => madeRecord({ stack }))
  addon.lastBatch = storm.slice(60_000)
  addon.batches.push(storm.slice(0, 60_000))
  const batches = session.drain()
  const first = (await batches.next()).value
  expect(first).toMatchObject({ behind: true })
  expect(first.samples.length).toBeLessThan(60_000)
  session.stop()
  const taken = [first.samples.length]
  for await (const { samples } of batches) taken.push(samples.length)
  taken.push(finished(session).late.length)
  expect(taken.reduce((sum, length) => sum + length)).toBe(100_000)
})

test('the limit of events ends drain by itself', async () => {
  const { addon, session } = armed({ options: { count: '5' } })
  addon.batches.push([madeRecord({ stack: 1 })], [madeRecord({ stack: 2 })], [madeRecord({ stack: 3 })])
  addon.taken = 4n
  const seen: number[] = []
  for await (const batch of session.drain()) {
    seen.push(...stacks(batch.samples))
    if (seen.length === 2) addon.taken = 5n
  }
  expect(seen).toEqual([1, 2])
  expect(addon.batches).toHaveLength(1)
})

test('without a limit the count so far is never asked for', async () => {
  const { addon, session } = armed()
  addon.refusals.set('lookup taken', -2)
  addon.batches.push([madeRecord({ stack: 1 })])
  expect(stacks(await drained(session, addon))).toEqual([1])
})

test('stop ends a drain that waits, and one that has yet to begin', async () => {
  const { session } = armed()
  const waiting = session.drain().next()
  session.stop()
  expect(await waiting).toEqual({ done: true, value: undefined })
  const { session: other } = armed()
  other.stop()
  expect(await other.drain().next()).toEqual({ done: true, value: undefined })
})

test('closing twice, before opening or after a finish is harmless', () => {
  const { addon, session } = made()
  session.stop()
  session.close()
  expect(addon.calls).toEqual([])
  session.open(folder, 77)
  session.attach()
  finished(session)
  session.close()
  const calls = addon.calls.length
  session.close()
  session.stop()
  expect(addon.calls).toHaveLength(calls)
  expect(addon.leaked).toEqual([])
})

test.each([
  ['leave out on_kprobe of object 2', -22, 'select on_kprobe: EINVAL: invalid argument; see --verbose'],
  [
    'set depth to 7f000000 in object 2',
    -2,
    'set depth of stacks.bpf.o: ENOENT: no such file or directory; the object and fpstack.cjs are not of one build: copy the folder again',
  ],
  ['share counts of object 1 with object 2', -22, 'share counts: EINVAL: invalid argument; see --verbose'],
  ['load object 2', -524, 'load stacks.bpf.o (on_sample): ENOTSUPP: the kernel does not support it; see --verbose'],
  ['put 01000000=01 into tgids of object 1', -7, 'fill the map "tgids": E2BIG: argument list too long'],
  [
    'put 73680000000000000000000000000000=01 into comms of object 1',
    -12,
    'fill the map "comms": ENOMEM: not enough memory',
  ],
  ['listen to records', -12, 'open the ring buffer: ENOMEM: not enough memory'],
  ['watch with 64 pages', -24, 'watch what processes map: EMFILE: too many open files'],
])('where "%s" fails, what was opened is closed', (call, errno, message) => {
  const { addon, session } = made({
    events: ['kprobe:vfs_read', 'profile:hz:99'],
    options: { pid: ['1'], comm: ['sh'] },
  })
  addon.refusals.set(call, errno)
  expect(() => session.open(folder, 77)).toThrow(failed(message))
  session.close()
  expect(addon.calls).toContain(call)
  expect(addon.leaked).toEqual([])
})

test('where a later event cannot be attached, the earlier ones are detached', () => {
  const { addon, session } = made({ events: ['kprobe:vfs_read', 'profile:hz:99'] })
  session.open(folder, 77)
  addon.refusals.set(`attach on_sample at 99 Hz on ${onlineCpus().at(-1)} by object 2`, -16)
  expect(() => session.attach()).toThrow(failed('attach profile:hz:99: EBUSY: resource busy or locked'))
  expect(addon.leaked.filter((name) => name.startsWith('link'))).toHaveLength(onlineCpus().length)
  session.close()
  expect(addon.leaked).toEqual([])
})

test('a ring that fails is told, and all is closed', async () => {
  const waiting = armed()
  waiting.addon.batches.push(-9)
  await expect(waiting.session.drain().next()).rejects.toThrow(
    failed('wait for the ring buffer: EBADF: bad file descriptor'),
  )
  const reading = armed()
  reading.addon.batches.push([])
  reading.addon.refusals.set('readRing', -90)
  await expect(reading.session.drain().next()).rejects.toThrow(
    failed('read the ring buffer: EMSGSIZE: message too long'),
  )
  reading.session.close()
  expect(reading.addon.leaked).toEqual([])
})

test('a limit that cannot be read is told', async () => {
  const { addon, session } = armed({ options: { count: '5' } })
  addon.batches.push([])
  addon.refusals.set('lookup taken', -2)
  await expect(session.drain().next()).rejects.toThrow(
    failed('read the map "taken": ENOENT: no such file or directory'),
  )
})

test('a record whose lengths do not add up is our bug, not a crash', async () => {
  const { addon, session } = armed()
  addon.batches.push([madeRecord({ stack: 1 }).subarray(0, 80)])
  await expect(session.drain().next()).rejects.toThrow(RangeError)
})

test('a process that makes up stacks without end loses events, counted, not all our memory', async () => {
  const { addon, session } = armed()
  const most = 100_000
  const made = Array.from({ length: most + 3 }, (_, stack) => madeRecord({ stack: stack + 1, weight: 1 }))
  addon.batches.push(made, [madeRecord({ stack: 1, weight: 1 }), madeRecord({ stack: most + 9 })])
  addon.counts.push([madeKey({ stack: most + 9 }), 2])
  addon.totals = [[most + 6, 2, most + 4, 0]]
  await drained(session, addon)
  const { samples, totals } = finished(session).harvest
  // A stack that the kernel counts is kept in any case, and one that is held already goes on counting.
  expect(samples.length).toBe(most + 1)
  expect(totals.lost).toEqual({ 'table full': 0, 'stack not sent': 0, 'too many stacks': 3 })
  expect(totals.seen).toBe(totals.counted + 3)
  expect(samples.reduce((sum, { weight }) => sum + weight, 0)).toBe(totals.counted)
})
