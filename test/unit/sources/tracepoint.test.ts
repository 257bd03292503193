import { expect, test } from 'vitest'
import { tracepoint } from '../../../runner/sources/tracepoint.ts'

const usage = (message: string) => expect.objectContaining({ code: 'usage', message })

test.each([
  ['sched:sched_switch', 'sched', 'sched_switch'],
  ['syscalls:sys_enter_openat', 'syscalls', 'sys_enter_openat'],
  ['i2c-core:9p', 'i2c-core', '9p'],
])('%s is understood', (rest, category, name) => {
  expect(tracepoint.parse(rest, `tracepoint:${rest}`)).toEqual({ category, name })
})

test.each([
  ...['', 'sched', 'sched:', ':sched_switch', 'a:b:c', 'sched:sched_switch\n', 'sched:*'],
  ...['../../etc:passwd', 'sched:../sched/sched_switch', 'sched:a/b', '/etc:a', '.:a', 'a:.', 'a:..', 'a:b.c'],
])('tracepoint:%j, which is no such name or could lead out of tracefs, is refused', (rest) => {
  expect(() => tracepoint.parse(rest, `tracepoint:${rest}`)).toThrow(
    usage(
      `read tracepoint:${rest}: not of the form tracepoint:CATEGORY:NAME; for example tracepoint:sched:sched_switch`,
    ),
  )
})

test('it attaches what it parsed', () => {
  const calls: unknown[] = []
  const never = () => expect.unreachable()
  const attacher = { kprobe: never, tracepoint: (...all: unknown[]) => calls.push(all), sample: never }
  tracepoint.attach({ category: 'sched', name: 'sched_switch' }, attacher)
  expect(calls).toEqual([['sched', 'sched_switch']])
})
