import { expect, test } from 'vitest'
import { indexKallsyms } from '../../../runner/kernel/kallsyms.ts'
import { nameKernel } from '../../../runner/symbols/kernel-names.ts'
import type { EventPlan } from '../../../runner/types.ts'
import { madeSample } from '../made-samples.ts'

const kallsyms = indexKallsyms(
  Buffer.from(
    [
      'ffff800080010000 T _stext',
      'ffff800080010100 T do_sys_openat2',
      'ffff800080010200 T __arm64_sys_openat',
      'ffff800080010300 t invoke_syscall',
      'ffff800080010400 T el0_svc',
      'ffff800080020000 D _etext',
      'ffff80007a001000 t virtio_probe\t[virtio]',
      '',
    ].join('\n'),
  ),
)
const base = 0xffff800080010000n
const entry = base + 0x100n
const caller = base + 0x218n
const outer = base + 0x348n

interface Case {
  readonly kernel: readonly bigint[]
  readonly caller?: bigint
  readonly innermost?: EventPlan['innermost']
  readonly arch?: string
}

function named({ kernel, caller = 0n, innermost = 'breakpoint', arch = 'arm64' }: Case): string[] {
  return nameKernel(kallsyms, madeSample({ kernel, caller }), innermost, arch).map(({ address, side, ...frame }) => {
    expect(side).toBe('kernel')
    return frame.symbol === undefined ? `0x${address.toString(16)}` : `${frame.symbol}+${frame.offset} ${frame.object}`
  })
}

test('the caller that the walk could not see goes behind the innermost frame', () => {
  expect(named({ kernel: [entry, outer], caller })).toEqual([
    ...['do_sys_openat2+0 kernel', '__arm64_sys_openat+24 kernel', 'invoke_syscall+72 kernel'],
  ])
})

test('a caller that the walk has is not doubled', () => {
  expect(named({ kernel: [entry, caller, outer], caller })).toEqual([
    ...['do_sys_openat2+0 kernel', '__arm64_sys_openat+24 kernel', 'invoke_syscall+72 kernel'],
  ])
})

test('a function that calls itself keeps both its frames', () => {
  expect(named({ kernel: [entry, caller, caller, outer], caller })).toHaveLength(4)
  expect(named({ kernel: [entry, outer, caller], caller })).toHaveLength(4)
})

test('without evidence of a caller the stack stays as it was', () => {
  expect(named({ kernel: [entry, outer] })).toEqual(['do_sys_openat2+0 kernel', 'invoke_syscall+72 kernel'])
})

test('a caller alone is known even where the walk ended at once', () => {
  expect(named({ kernel: [entry], caller })).toEqual(['do_sys_openat2+0 kernel', '__arm64_sys_openat+24 kernel'])
})

test('where there is no kernel stack a caller makes none', () => {
  expect(named({ kernel: [], caller })).toEqual([])
})

test('on x86_64 the innermost address is behind the breakpoint, on arm64 at it', () => {
  const kernel = [entry + 1n, outer]
  expect(named({ kernel, arch: 'x64' })[0]).toBe('do_sys_openat2+0 kernel')
  expect(named({ kernel, arch: 'arm64' })[0]).toBe('do_sys_openat2+1 kernel')
  expect(nameKernel(kallsyms, madeSample({ kernel }), 'breakpoint', 'x64')[0]?.address).toBe(entry)
})

test('an interrupted instruction is taken as it is, whatever else was recorded', () => {
  expect(named({ kernel: [entry, outer], caller, innermost: 'instruction', arch: 'x64' })).toEqual([
    ...['do_sys_openat2+0 kernel', 'invoke_syscall+72 kernel'],
  ])
})

test('a return address belongs to the call before it', () => {
  // The call is the last instruction of invoke_syscall, what it returns to already another function.
  const behind = base + 0x400n
  expect(named({ kernel: [entry, behind] })).toEqual(['do_sys_openat2+0 kernel', 'invoke_syscall+256 kernel'])
  expect(named({ kernel: [behind, behind + 4n], innermost: 'return' })).toEqual([
    ...['invoke_syscall+256 kernel', 'el0_svc+4 kernel'],
  ])
  expect(named({ kernel: [behind], innermost: 'instruction' })).toEqual(['el0_svc+0 kernel'])
})

test('the place of a tracepoint is told once, though the walk found it twice', () => {
  expect(named({ kernel: [caller, caller, outer], innermost: 'return' })).toEqual([
    ...['__arm64_sys_openat+24 kernel', 'invoke_syscall+72 kernel'],
  ])
  expect(named({ kernel: [caller, outer], innermost: 'return' })).toEqual([
    ...['__arm64_sys_openat+24 kernel', 'invoke_syscall+72 kernel'],
  ])
  expect(named({ kernel: [caller], innermost: 'return' })).toEqual(['__arm64_sys_openat+24 kernel'])
})

test('a module is told, and an address without a name is left bare', () => {
  const frames = named({ kernel: [0xffff80007a001004n, 0xffff800090000000n, 0n] })
  expect(frames).toEqual(['virtio_probe+4 virtio', '0xffff800090000000', '0x0'])
})
