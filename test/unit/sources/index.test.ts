import { expect, test } from 'vitest'
import { attachEvent, eventUsage, parseEvent } from '../../../runner/sources/index.ts'

const usage = (message: string) => expect.objectContaining({ code: 'usage', message })

test('an event keeps what was typed beside what was understood', () => {
  expect(parseEvent('kprobe:do_sys_openat2+0x10')).toEqual({
    text: 'kprobe:do_sys_openat2+0x10',
    kind: 'kprobe',
    target: { symbol: 'do_sys_openat2', offset: 16 },
    program: 'on_kprobe',
    innermost: 'breakpoint',
    globals: { at_entry: { type: 'bool', value: false } },
  })
  expect(parseEvent('tracepoint:sched:sched_switch')).toEqual({
    text: 'tracepoint:sched:sched_switch',
    kind: 'tracepoint',
    target: { category: 'sched', name: 'sched_switch' },
    program: 'on_tracepoint',
    innermost: 'return',
    globals: {},
  })
  expect(parseEvent('profile:hz:99')).toEqual({
    text: 'profile:hz:99',
    kind: 'profile',
    target: { hz: 99 },
    program: 'on_sample',
    innermost: 'instruction',
    globals: {},
  })
})

test.each([
  ['uretprobe:/bin/sh:main', 'uretprobe'],
  ['do_sys_open', 'do_sys_open'],
  ['', ''],
  [':do_sys_open', ''],
  ['KPROBE:do_sys_open', 'KPROBE'],
  ['constructor:x', 'constructor'],
  ['__proto__:x', '__proto__'],
])('the kind of %j is unknown, and the known ones are told', (typed, kind) => {
  expect(() => parseEvent(typed)).toThrow(
    usage(`read ${typed}: no kind of event is called "${kind}"; the kinds are kprobe, tracepoint, profile`),
  )
})

test('a kind alone says what is missing', () => {
  expect(() => parseEvent('kprobe')).toThrow(
    usage('read kprobe: not of the form kprobe:FUNCTION[+OFFSET]; for example kprobe:do_sys_openat2'),
  )
})

test('an event is attached by the source that parsed it', () => {
  const calls: string[] = []
  const attacher = {
    kprobe: (symbol: string, offset: number) => calls.push(`kprobe ${symbol} ${offset}`),
    tracepoint: (category: string, name: string) => calls.push(`tracepoint ${category} ${name}`),
    sample: (type: number, config: bigint, hz: bigint) => calls.push(`sample ${type} ${config} ${hz}`),
  }
  for (const typed of ['kprobe:vfs_read+4', 'tracepoint:sched:sched_switch', 'profile:hz:49']) {
    attachEvent(parseEvent(typed), attacher)
  }
  expect(calls).toEqual(['kprobe vfs_read 4', 'tracepoint sched sched_switch', 'sample 1 0 49'])
})

test('every source has its line in the help, in columns', () => {
  expect(eventUsage()).toEqual([
    'kprobe:FUNCTION[+OFFSET]  a kernel function is called (or reaches OFFSET bytes into it)',
    'tracepoint:CATEGORY:NAME  a static kernel tracepoint is passed',
    'profile:hz:N              N times a second on every CPU',
  ])
})
