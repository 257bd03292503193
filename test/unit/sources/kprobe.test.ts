import { expect, test } from 'vitest'
import { parseEvent } from '../../../runner/sources/index.ts'
import { kprobe } from '../../../runner/sources/kprobe.ts'

const usage = (message: string) => expect.objectContaining({ code: 'usage', message })

test.each([
  ['do_sys_openat2', 'do_sys_openat2', 0],
  ['__arm64_sys_openat', '__arm64_sys_openat', 0],
  ['do_sys_openat2+8', 'do_sys_openat2', 8],
  ['do_sys_openat2+0x1c', 'do_sys_openat2', 0x1c],
  ['do_sys_openat2+0X1C', 'do_sys_openat2', 0x1c],
  ['do_sys_openat2+0', 'do_sys_openat2', 0],
  ['vfs_read+2147483647', 'vfs_read', 0x7fffffff],
  ['__dentry_kill.part.0', '__dentry_kill.part.0', 0],
  ['cgroup_init$x', 'cgroup_init$x', 0],
])('%s is understood', (rest, symbol, offset) => {
  expect(kprobe.parse(rest, `kprobe:${rest}`)).toEqual({ symbol, offset })
})

test.each(['', '+4', '4ever', 'a b', 'a+', 'a+-4', 'a+0x', 'a+1.5', 'a+4g', 'a:b', 'a/b', 'a+1+1', 'a\n', ' a'])(
  'kprobe:%j is refused',
  (rest) => {
    expect(() => kprobe.parse(rest, `kprobe:${rest}`)).toThrow(
      usage(`read kprobe:${rest}: not of the form kprobe:FUNCTION[+OFFSET]; for example kprobe:do_sys_openat2`),
    )
  },
)

test.each(['2147483648', '0x80000000', '9'.repeat(400)])('an offset of %s is refused', (offset) => {
  const typed = `kprobe:vfs_read+${offset}`
  expect(() => parseEvent(typed)).toThrow(usage(`read ${typed}: the offset ${offset} is beyond any function's end`))
})

test('the caller in the link register is asked for at the first instruction only', () => {
  expect(parseEvent('kprobe:vfs_read')).toMatchObject({ globals: { at_entry: { type: 'bool', value: true } } })
  expect(parseEvent('kprobe:vfs_read+4')).toMatchObject({ globals: { at_entry: { type: 'bool', value: false } } })
})

test('it attaches what it parsed', () => {
  const calls: unknown[] = []
  const never = () => expect.unreachable()
  const attacher = { kprobe: (...all: unknown[]) => calls.push(all), tracepoint: never, sample: never }
  kprobe.attach({ symbol: 'vfs_read', offset: 12 }, attacher)
  expect(calls).toEqual([['vfs_read', 12]])
})
