import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasTracepoint, tracepointNames } from '../../../runner/kernel/tracefs.ts'

const tracefs = mkdtempSync(join(tmpdir(), 'fpstack-tracefs-'))

beforeAll(() => {
  for (const event of ['sched/sched_switch', 'sched/sched_wakeup', 'syscalls/sys_enter_openat']) {
    mkdirSync(join(tracefs, 'events', event), { recursive: true })
    writeFileSync(join(tracefs, 'events', event, 'id'), '1\n')
  }
  // What else lies there: a file beside the categories, one beside the events, an event of perf's that has no id.
  writeFileSync(join(tracefs, 'events/header_page'), '')
  writeFileSync(join(tracefs, 'events/sched/enable'), '0\n')
  mkdirSync(join(tracefs, 'events/ftrace/function'), { recursive: true })
})
afterAll(() => rmSync(tracefs, { recursive: true }))

test('a tracepoint is there if it has an id', () => {
  expect(hasTracepoint(tracefs, 'sched', 'sched_switch')).toBe(true)
  expect(hasTracepoint(tracefs, 'sched', 'sched_swich')).toBe(false)
  expect(hasTracepoint(tracefs, 'nosuch', 'sched_switch')).toBe(false)
  expect(hasTracepoint(tracefs, 'sched', 'enable')).toBe(false)
})

test('all are listed by both parts of their name', () => {
  expect([...tracepointNames(tracefs)].sort()).toEqual([
    'ftrace:function',
    'sched:sched_switch',
    'sched:sched_wakeup',
    'syscalls:sys_enter_openat',
  ])
})
