import { expect, test } from 'vitest'
import { nearestNames } from '../../../runner/kernel/nearest.ts'

/** As arm64 6.12 has them, with some of their neighbours. */
const live = [
  ...['do_sys_openat2', 'do_sys_poll', 'do_sys_settimeofday64', 'do_sys_truncate', 'do_sys_ftruncate'],
  ...['__arm64_sys_open', '__arm64_sys_openat', '__arm64_sys_openat2', '__arm64_sys_open_tree'],
  ...['__arm64_compat_sys_openat', '__arm64_sys_open_by_handle_at', '__arm64_sys_read', '__arm64_sys_readv'],
  ...['vfs_read', 'vfs_readv', 'vfs_write', 'vfs_open', 'vfs_fsync', 'ksys_read', 'kernel_read', 'schedule'],
  ...['__schedule', 'schedule_timeout', 'preempt_schedule', 'tcp_sendmsg', 'tcp_sendmsg_locked', 'tcp_recvmsg'],
]

test('what was renamed by adding to its end is found', () => {
  expect(nearestNames('do_sys_open', live)).toEqual(['do_sys_openat2'])
})

test('what was renamed by adding to its front is found, the shortest first', () => {
  expect(nearestNames('sys_openat', live)).toEqual([
    '__arm64_sys_openat',
    '__arm64_compat_sys_openat',
    'do_sys_openat2',
  ])
})

test.each([
  ['vfs_raed', 'vfs_read'],
  ['tcp_sendmesg', 'tcp_sendmsg'],
  ['shedule', 'schedule'],
  ['VFS_READ', 'vfs_read'],
])('the typing error %s is understood', (typed, meant) => {
  expect(nearestNames(typed, live)[0]).toBe(meant)
})

test('a name that holds the typed one comes before one that looks like it', () => {
  expect(nearestNames('vfs_rea', ['vfs_rep', 'vfs_read', 'vfs_readv'])).toEqual(['vfs_read', 'vfs_readv', 'vfs_rep'])
})

test('so it does when the typed part is in its middle, where one typing error in another is no nearer', () => {
  expect(nearestNames('sys_open', ['sys_opt', 'do_sys_openat2'])).toEqual(['do_sys_openat2', 'sys_opt'])
})

test('where nothing is near nothing is offered', () => {
  expect(nearestNames('my_own_driver_probe', live)).toEqual([])
  expect(nearestNames('xyz', live)).toEqual([])
  expect(nearestNames('vfs_read', [])).toEqual([])
})

test('three letters inside a name are chance', () => {
  expect(nearestNames('sys', ['ksys_read'])).toEqual([])
  expect(nearestNames('sys_', ['ksys_read'])).toEqual(['ksys_read'])
})

test('at most so many are offered, each once, in an order of their own', () => {
  expect(nearestNames('read', ['b_read', 'a_read', 'b_read', 'c_read', 'd_read'])).toEqual([
    'a_read',
    'b_read',
    'c_read',
  ])
  expect(nearestNames('read', ['b_read', 'a_read', 'c_read'], 1)).toEqual(['a_read'])
})

test('tracepoints are found by both parts of their name', () => {
  const events = ['sched:sched_switch', 'sched:sched_wakeup', 'syscalls:sys_enter_openat']
  expect(nearestNames('sched:sched_swich', events)).toEqual(['sched:sched_switch'])
  expect(nearestNames('sys_enter_openat', events)).toEqual(['syscalls:sys_enter_openat'])
})
