import { expect, test } from 'vitest'
import { planTrace, type TraceOptions } from '../../../runner/plan/trace-plan.ts'
import type { TracePlan } from '../../../runner/types.ts'

const usage = (message: string) => expect.objectContaining({ code: 'usage', message })

function plan(options: TraceOptions, command: readonly string[] = []): TracePlan {
  return planTrace(['kprobe:vfs_read'], options, command)
}

test('without options everything counts until it is stopped', () => {
  expect(plan({})).toEqual({
    object: 'stacks.bpf.o',
    events: [
      {
        text: 'kprobe:vfs_read',
        kind: 'kprobe',
        target: { symbol: 'vfs_read', offset: 0 },
        program: 'on_kprobe',
        innermost: 'breakpoint',
        globals: { at_entry: { type: 'bool', value: true } },
      },
    ],
    globals: {
      take_kernel: { type: 'bool', value: true },
      take_user: { type: 'bool', value: true },
      by_thread: { type: 'bool', value: false },
      depth: { type: 'u32', value: 127 },
      filter_comm: { type: 'bool', value: false },
      filter_tgid: { type: 'bool', value: false },
      event_limit: { type: 'u64', value: 0n },
    },
    comms: [],
    tgids: [],
    durationMs: undefined,
    eventLimit: undefined,
    depth: 127,
    command: [],
  })
})

test.each<[TraceOptions, Partial<TracePlan['globals']>]>([
  [{ kernelOnly: true }, { take_kernel: { type: 'bool', value: true }, take_user: { type: 'bool', value: false } }],
  [{ userOnly: true }, { take_kernel: { type: 'bool', value: false }, take_user: { type: 'bool', value: true } }],
  [{ perThread: true }, { by_thread: { type: 'bool', value: true } }],
  [{ depth: '16' }, { depth: { type: 'u32', value: 16 } }],
  [{ comm: ['sh'] }, { filter_comm: { type: 'bool', value: true } }],
  [{ pid: ['77'] }, { filter_tgid: { type: 'bool', value: true } }],
  [{ count: '50' }, { event_limit: { type: 'u64', value: 50n } }],
])('%j sets its globals and no others', (options, globals) => {
  expect(plan(options).globals).toEqual({ ...plan({}).globals, ...globals })
})

test('what is not a global of a BPF program stands in the plan itself', () => {
  const whole = plan({ comm: ['sh', 'cat'], pid: ['77'], duration: '2.5', count: '50', depth: '16' }, ['ls', '-l'])
  expect(whole).toMatchObject({
    ...{ comms: ['sh', 'cat'], tgids: [77], durationMs: 2500, eventLimit: 50, depth: 16 },
    command: ['ls', '-l'],
  })
})

test('events keep their order', () => {
  const { events } = planTrace(['profile:hz:99', 'kprobe:vfs_read', 'tracepoint:a:b'], {}, [])
  expect(events.map(({ text }) => text)).toEqual(['profile:hz:99', 'kprobe:vfs_read', 'tracepoint:a:b'])
})

test.each<[TraceOptions, Partial<TracePlan>]>([
  [{ depth: '1' }, { depth: 1 }],
  [{ depth: '127' }, { depth: 127 }],
  [{ pid: ['1'] }, { tgids: [1] }],
  [{ pid: ['4194304'] }, { tgids: [2 ** 22] }],
  [{ count: '1' }, { eventLimit: 1 }],
  [{ count: '9007199254740991' }, { eventLimit: 2 ** 53 - 1 }],
  [{ duration: '0.5' }, { durationMs: 500 }],
  // 0.07 × 1000 is a little above 70 in binary.
  [{ duration: '0.07' }, { durationMs: 70 }],
  [{ duration: '0.0000001' }, { durationMs: 1 }],
  [{ duration: '2147483' }, { durationMs: 2_147_483_000 }],
])('%j is within its limits', (options, part) => {
  expect(plan(options)).toMatchObject(part)
})

const depth = 'not a whole number from 1 to 127'
const pid = 'not a whole number from 1 to 4194304'
const count = 'not a whole number from 1 to 9007199254740991'
const duration = 'not a number of seconds above 0 and up to 2147483; for example 5 or 0.5'

test.each<[TraceOptions, string]>([
  ...['0', '128', '-1', '1.5', '', '0x10', '1e1', ' 5', 'ten', '9'.repeat(400)].map((typed): [TraceOptions, string] => [
    { depth: typed },
    `read --depth ${typed}: ${depth}`,
  ]),
  ...['0', '4194305', '-1', 'self'].map((typed): [TraceOptions, string] => [
    { pid: [typed] },
    `read --pid ${typed}: ${pid}`,
  ]),
  ...['0', '9007199254740992', '9007199254740993', '-1', '1k'].map((typed): [TraceOptions, string] => [
    { count: typed },
    `read --count ${typed}: ${count}`,
  ]),
  ...['0', '0.0', '2147484', '-1', '5s', '.5', '5.', '1e3', 'Infinity', ''].map((typed): [TraceOptions, string] => [
    { duration: typed },
    `read --duration ${typed}: ${duration}`,
  ]),
  [{ comm: ['sh', ''] }, 'read --comm: the name is empty'],
  [{ comm: Array(1025).fill('sh') }, 'read --comm: 1025 names are given, 1024 can be'],
])('%j is a usage error', (options, message) => {
  expect(() => plan(options)).toThrow(usage(message))
})

test('1024 names fit', () => {
  expect(plan({ comm: Array(1024).fill('sh') }).comms).toHaveLength(1024)
})

test('a trace of nothing is a usage error', () => {
  const message = 'read the command line: no event to trace; for example fpstack trace kprobe:do_sys_openat2'
  expect(() => planTrace([], {}, ['ls'])).toThrow(usage(message))
})

test('an event given twice would be counted twice', () => {
  const message = 'read kprobe:vfs_read: the event is given twice'
  const typed = ['kprobe:vfs_read', 'profile:hz:99', 'kprobe:vfs_read']
  expect(() => planTrace(typed, {}, [])).toThrow(usage(message))
})

test.each([
  ['fourteen-bytes', 'fourteen-bytes'],
  ['fifteen--bytes!', 'fifteen--bytes!'],
  ['sixteen---bytes!', 'sixteen---bytes'],
  ['größe', Buffer.from('größe').toString('latin1')],
  // The kernel cuts bytes, not characters: the second byte of the last ü is gone.
  ['0123456789abcdü', Buffer.from('0123456789abcd\xc3', 'latin1').toString('latin1')],
  ['🙂🙂🙂🙂', Buffer.from('🙂🙂🙂🙂').subarray(0, 15).toString('latin1')],
])('the comm %s is cut where the kernel cuts it', (typed, kept) => {
  expect(plan({ comm: [typed] }).comms).toEqual([kept])
})

function looseParts(value: unknown, path = 'plan'): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = Object.isFrozen(value) ? [] : [path]
  return [...own, ...Object.entries(value).flatMap(([name, part]) => looseParts(part, `${path}.${name}`))]
}

test('a plan is frozen to the last part, the typed arrays are not', () => {
  const command = ['ls']
  const events = ['kprobe:vfs_read+4', 'profile:hz:99']
  expect(looseParts(planTrace(events, { comm: ['sh'], pid: ['1'], count: '5' }, command))).toEqual([])
  expect(Object.isFrozen(command) || Object.isFrozen(events)).toBe(false)
})
