import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import type * as kallsyms from '../../../runner/kernel/kallsyms.ts'
import type * as tracefs from '../../../runner/kernel/tracefs.ts'
import type { TracefsState } from '../../../runner/kernel/tracefs.ts'
import type { LinkHandle } from '../../../runner/native.ts'
import { attacherFor } from '../../../runner/session/attach.ts'
import { attachEvent, parseEvent } from '../../../runner/sources/index.ts'
import { FakeAddon } from './fake-addon.ts'

const board = vi.hoisted(() => ({ functions: [''], tracefs: { path: undefined, why: 'absent' } as TracefsState }))

vi.mock('../../../runner/kernel/kallsyms.ts', async (original) => {
  const { indexKallsyms } = await original<typeof kallsyms>()
  const text = () => board.functions.map((name) => `ffff800080010000 T ${name}\n`).join('')
  return { readKallsyms: () => indexKallsyms(Buffer.from(text())) }
})
vi.mock('../../../runner/kernel/tracefs.ts', async (original) => ({
  ...(await original<typeof tracefs>()),
  findTracefs: () => board.tracefs,
}))
vi.mock('../../../runner/kernel/permissions.ts', () => ({
  explainRefusal: () => ({ cause: 'not permitted: cap_bpf is lacking', remedy: 'run it as root or with cap_bpf' }),
}))

const mounted = mkdtempSync(join(tmpdir(), 'fpstack-tracefs-'))
mkdirSync(join(mounted, 'events/sched/sched_switch'), { recursive: true })
writeFileSync(join(mounted, 'events/sched/sched_switch/id'), '1\n')
afterAll(() => rmSync(mounted, { recursive: true }))

beforeEach(() => {
  board.functions = ['do_sys_openat2', '__arm64_sys_openat', 'schedule', 'notrace_one']
  board.tracefs = { path: mounted }
})

const failed = (message: string) => expect.objectContaining({ code: 'failure', message })

function attached(typed: string, errno: number): LinkHandle[] {
  const addon = new FakeAddon()
  const object = addon.openObject(Buffer.alloc(0), 'stacks.bpf.o')
  if (typeof object === 'number') throw new Error(`errno ${object}`)
  if (errno !== 0) addon.refusals.set('attach', errno)
  const links: LinkHandle[] = []
  const event = parseEvent(typed)
  attachEvent(
    event,
    attacherFor(addon, object, event, (link) => links.push(link)),
  )
  return links
}

test.each(['kprobe:schedule', 'tracepoint:sched:sched_switch', 'profile:hz:99'])('%s is attached and kept', (typed) => {
  expect(attached(typed, 0).length).toBeGreaterThan(0)
})

const EPERM = -1
const ENOENT = -2
const ENOMEM = -12
const EACCES = -13
const EBUSY = -16
const EINVAL = -22
const EILSEQ = -84
const EADDRNOTAVAIL = -99
const permission = 'not permitted: cap_bpf is lacking; run it as root or with cap_bpf'
const elsewhere = 'probe a caller or a callee of it'

test.each([
  ['kprobe:do_sys_open', ENOENT, 'this kernel has no such function; did you mean do_sys_openat2?'],
  ['kprobe:sys_openat', ENOENT, 'this kernel has no such function; did you mean __arm64_sys_openat, do_sys_openat2?'],
  ['kprobe:my_driver_probe', ENOENT, 'this kernel has no such function'],
  ['kprobe:my_driver_probe+4', EINVAL, 'this kernel has no such function'],
  ['kprobe:schedule', EADDRNOTAVAIL, `several functions of this kernel have that name; ${elsewhere}`],
  [
    'kprobe:notrace_one',
    EINVAL,
    `this kernel lets no probe be set on that function (notrace or blacklisted); ${elsewhere}`,
  ],
  [
    'kprobe:notrace_one',
    ENOENT,
    `this kernel lets no probe be set on that function (notrace or blacklisted); ${elsewhere}`,
  ],
  [
    'kprobe:schedule+3',
    EILSEQ,
    'no probe can be set 3 bytes into schedule (EILSEQ: illegal byte sequence); the offset has to be that of an instruction inside the function',
  ],
  ['kprobe:schedule', ENOMEM, `ENOMEM: not enough memory; ${elsewhere}`],
  ['kprobe:schedule', EPERM, permission],
  ['kprobe:do_sys_open', EACCES, permission],
  ['tracepoint:sched:sched_swich', ENOENT, 'this kernel has no such tracepoint; did you mean sched:sched_switch?'],
  ['tracepoint:net:consume_skb', ENOENT, 'this kernel has no such tracepoint'],
  ['tracepoint:sched:sched_switch', EBUSY, 'EBUSY: resource busy or locked'],
  ['tracepoint:sched:sched_switch', EPERM, permission],
  ['profile:hz:99999', EINVAL, 'the kernel refuses that rate; see /proc/sys/kernel/perf_event_max_sample_rate'],
  ['profile:hz:99', EACCES, permission],
  ['profile:hz:99', -524, 'ENOTSUPP: the kernel does not support it'],
])('%s refused with errno %i', (typed, errno, why) => {
  expect(() => attached(typed, errno)).toThrow(failed(`attach ${typed}: ${why}`))
})

test.each<[TracefsState, string]>([
  [{ path: undefined, why: 'absent' }, 'tracefs is not mounted; mount -t tracefs tracefs /sys/kernel/tracing'],
  [{ path: undefined, why: 'forbidden' }, 'tracefs may not be read; run it as root or with cap_dac_read_search'],
])('a tracepoint without tracefs: %j', (state, why) => {
  board.tracefs = state
  const typed = 'tracepoint:sched:sched_switch'
  expect(() => attached(typed, ENOENT)).toThrow(failed(`attach ${typed}: ${why}`))
})
