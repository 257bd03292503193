import type * as fs from 'node:fs'
import { beforeEach, expect, test, vi } from 'vitest'
import { explainRefusal } from '../../../runner/kernel/permissions.ts'

const files = vi.hoisted(() => new Map<string, string>())

vi.mock('node:fs', async (original) => ({
  ...(await original<typeof fs>()),
  readFileSync: (path: string) => {
    const text = files.get(path)
    if (text === undefined) throw new Error(`ENOENT: ${path}`)
    return text
  },
}))

/** linux/capability.h */
const CAP_SYS_ADMIN = 21n
const CAP_SYS_RESOURCE = 24n
const CAP_PERFMON = 38n
const CAP_BPF = 39n

function hold(...capabilities: bigint[]): void {
  const set = capabilities.reduce((bits, capability) => bits | (1n << capability), 0n)
  const hex = set.toString(16).padStart(16, '0')
  // The permitted set is no answer: only the effective one is asked by the kernel.
  const status = `Name:\tnode\nCapInh:\t${'0'.repeat(16)}\nCapPrm:\t000001ffffffffff\nCapEff:\t${hex}\nCapBnd:\t000001ffffffffff\n`
  files.set('/proc/self/status', status)
}

beforeEach(() => files.clear())

test.each([
  [[], 'cap_bpf and cap_perfmon', 'are'],
  [[CAP_SYS_RESOURCE], 'cap_bpf and cap_perfmon', 'are'],
  [[CAP_BPF], 'cap_perfmon', 'is'],
  [[CAP_PERFMON], 'cap_bpf', 'is'],
])('what is lacking beside capabilities %s is named', (held, names, verb) => {
  hold(...held)
  expect(explainRefusal('load')).toEqual({
    cause: `not permitted: ${names} ${verb} lacking`,
    remedy: `run it as root or with ${names}`,
  })
})

const memory = {
  cause: 'not permitted: kernels before 5.11 count BPF maps against the limit of locked memory',
  remedy: 'raise it (ulimit -l unlimited) or run it as root or with cap_sys_resource',
}

test.each([[[CAP_BPF, CAP_PERFMON]], [[CAP_SYS_ADMIN]]])('with enough capabilities memory may be short', (held) => {
  files.set('/proc/self/limits', 'Max locked memory         65536                65536                bytes\n')
  hold(...held)
  expect(explainRefusal('load')).toEqual(memory)
  files.set('/proc/self/limits', 'Max locked memory         unlimited            unlimited            bytes\n')
  expect(explainRefusal('load').cause).toBe('not permitted')
})

test('with every capability something else forbids', () => {
  hold(CAP_BPF, CAP_PERFMON, CAP_SYS_RESOURCE)
  expect(explainRefusal('load')).toEqual({
    cause: 'not permitted',
    remedy: 'a security module or container may forbid bpf(2) or perf_event_open(2)',
  })
})

test.each(['integrity', 'confidentiality'])('lockdown (%s) is told before all but capabilities', (mode) => {
  files.set('/sys/kernel/security/lockdown', `none integrity confidentiality\n`.replace(mode, `[${mode}]`))
  hold(CAP_SYS_ADMIN)
  expect(explainRefusal('load')).toEqual({
    cause: `the kernel is locked down (${mode})`,
    remedy: 'boot it with lockdown=none or without secure boot',
  })
  hold()
  expect(explainRefusal('load').cause).toBe('not permitted: cap_bpf and cap_perfmon are lacking')
})

test('a kernel that could be locked down but is not', () => {
  files.set('/sys/kernel/security/lockdown', '[none] integrity confidentiality\n')
  hold(CAP_SYS_ADMIN)
  expect(explainRefusal('load')).toEqual(memory)
})

test('perf events that a patched kernel keeps for CAP_SYS_ADMIN', () => {
  files.set('/proc/sys/kernel/perf_event_paranoid', '3\n')
  hold(CAP_BPF, CAP_PERFMON, CAP_SYS_RESOURCE)
  expect(explainRefusal('attach')).toEqual({
    cause: 'kernel.perf_event_paranoid above 2 asks for cap_sys_admin',
    remedy: 'sysctl kernel.perf_event_paranoid=2, or run it as root',
  })
  expect(explainRefusal('load').cause).toBe('not permitted')
  files.set('/proc/sys/kernel/perf_event_paranoid', '2\n')
  expect(explainRefusal('attach').cause).toBe('not permitted')
})
