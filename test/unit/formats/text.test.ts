import { expect, test } from 'vitest'
import { text } from '../../../runner/formats/text.ts'
import { kernelFrames, madeReport, madeStack } from '../made-samples.ts'
import { hostile, report } from './made-report.ts'

const whole = `\
kprobe:do_sys_openat2

30 (75.0 %)  demo, pid 4711
  kernel  do_sys_openat2
          __arm64_sys_openat+0x18
          virtio_probe+0x8  [virtio]
  user    open64+0x44  [libc.so.6]
          libdemo.so+0x1234
          main+0x10  [pie demo]
          0xaaaa00000003

10 (25.0 %)  sh, pid 12, tid 13
  kernel  do_sys_openat2
  user    … unreadable: EFAULT: bad address in system call argument

profile:hz:99

5 (100.0 %)  demo, pid 4711
  kernel  … cut off at 127 frames (--depth)
  user    spin  [a]
          main+0x8  [a]
          … the frame pointers lead out of code from here

50 events = 45 counted + 5 lost (table full: 3, stack not sent: 2); 4 distinct stacks; \
5 cut off at 127 kernel frames; 10 with an unreadable user stack; \
the kernel withheld 7 more, of any process, while a program was already running
`

test('a whole report', () => {
  expect([...text.render(report, false)].join('')).toBe(whole)
})

/** SGR of ECMA-48, 8.3.117. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const colour = /\x1b\[(\d+)m/g

test('colours change nothing but the colour', () => {
  const coloured = [...text.render(report, true)].join('')
  expect(coloured.replaceAll(colour, '')).toBe(whole)
  const [bold, cyan, yellow, green] = [1, 36, 33, 32]
  const painted = (code: number, end: number, words: string) => `\x1b[${code}m${words}\x1b[${end}m`
  expect(coloured).toContain(painted(bold, 22, '30'))
  expect(coloured).toContain(painted(cyan, 39, 'demo'))
  expect(coloured).toContain(painted(yellow, 39, '__arm64_sys_openat+0x18'))
  expect(coloured).toContain(painted(green, 39, 'open64+0x44'))
})

test('without colours no escape is written', () => {
  expect([...text.render(report, false)].join('')).not.toMatch(colour)
})

test('one event alone needs no heading', () => {
  const stacks = [madeStack({ kernel: kernelFrames('do_sys_openat2+0 kernel') })]
  expect([...text.render(madeReport({ stacks }), false)].join('')).toBe(`\
1 (100.0 %)  demo, pid 4711
  kernel  do_sys_openat2

1 event = 1 counted + 0 lost; 1 distinct stack
`)
})

test('a report of nothing is its totals', () => {
  const totals = {
    seen: 0,
    counted: 0,
    lost: { 'table full': 0, 'stack not sent': 0, 'too many stacks': 0 },
    missed: 0,
  }
  expect([...text.render(madeReport({ totals }), false)].join('')).toBe(
    '0 events = 0 counted + 0 lost; 0 distinct stacks\n',
  )
})

test('hostile names are shown, not obeyed', () => {
  const printed = [...text.render(hostile, false)].join('')
  expect(printed).toBe(`\
1 (100.0 %)  a;b\\x0a\\x1b]0;\\x07\\u202e, pid 4711
  kernel  k\\x0d;\\x9b31m+0x4  [m\\x00d]
  user    a;b 7\\x0a\\u202e\\u2028c\\\\  [\\x1b[31m;\\x0a]
          x;\\u2066y+0x10

1 event = 1 counted + 0 lost; 1 distinct stack
`)
})
