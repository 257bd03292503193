import { expect, test } from 'vitest'
import { folded } from '../../../runner/formats/folded.ts'
import { kernelFrames, madeReport, madeStack, userFrames } from '../made-samples.ts'
import { hostile, report } from './made-report.ts'

test('a whole report', () => {
  expect([...folded.render(report, true)].join('')).toBe(`\
kprobe:do_sys_openat2;demo;0xaaaa00000003;main;[libdemo.so];open64;virtio_probe_[k];__arm64_sys_openat_[k];do_sys_openat2_[k] 30
kprobe:do_sys_openat2;sh;do_sys_openat2_[k] 10
profile:hz:99;demo;main;spin 5
`)
})

test('one event alone is not in the way', () => {
  const stacks = [madeStack({ weight: 4, kernel: kernelFrames('a+0 kernel'), user: userFrames('b+0 /x') })]
  expect([...folded.render(madeReport({ stacks }), false)]).toEqual(['demo;b;a_[k] 4\n'])
})

test('what reads the same on a line is one line, whatever else tells it apart', () => {
  const stacks = [1, 2, 3].map((tgid) => madeStack({ tgid, weight: tgid, user: userFrames(`a+${tgid} /x`) }))
  expect([...folded.render(madeReport({ stacks }), false)]).toEqual(['demo;a 6\n'])
})

test('a stack that could not be read is still counted', () => {
  expect([...folded.render(madeReport({ stacks: [madeStack({ weight: 5 })] }), false)]).toEqual(['demo 5\n'])
  expect([...folded.render(madeReport({}), false)]).toEqual([])
})

test('hostile names neither end a line nor add a frame', () => {
  const [line, ...others] = [...folded.render(hostile, false)]
  expect(others).toEqual([])
  expect(line).toBe('a:b\\x0a\\x1b]0:\\x07\\u202e;[x:\\u2066y];a:b 7\\x0a\\u202e\\u2028c\\\\;k\\x0d:\\x9b31m_[k] 1\n')
  // comm, two user frames, one kernel frame; the count behind the last space.
  expect(line?.split(';')).toHaveLength(4)
  expect(line?.slice(line.lastIndexOf(' '))).toBe(' 1\n')
})
