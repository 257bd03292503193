import { readFileSync } from 'node:fs'

/** Bits of the capability sets in /proc/self/status (linux/capability.h). */
const capabilities = { cap_sys_admin: 21n, cap_sys_resource: 24n, cap_perfmon: 38n, cap_bpf: 39n }
type Capability = keyof typeof capabilities

function held(name: Capability): boolean {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return ((BigInt(`0x${line?.[1] ?? '0'}`) >> capabilities[name]) & 1n) === 1n
}

export interface Refusal {
  readonly cause: string
  readonly remedy: string
}

/** Why the kernel said EPERM or EACCES to BPF or perf events, as far as can be told. */
export function explainRefusal(): Refusal {
  const missing = (['cap_bpf', 'cap_perfmon'] as const).filter((name) => !held(name))
  if (missing.length > 0 && !held('cap_sys_admin')) {
    const names = missing.join(' and ')
    return {
      cause: `not permitted: ${names} ${missing.length > 1 ? 'are' : 'is'} lacking`,
      remedy: `run it as root or with ${names}`,
    }
  }
  const lockdown = lockdownMode()
  if (lockdown !== undefined && lockdown !== 'none') {
    return {
      cause: `the kernel is locked down (${lockdown})`,
      remedy: 'boot it with lockdown=none or without secure boot',
    }
  }
  if (!held('cap_sys_resource')) {
    return {
      cause: 'not permitted: kernels before 5.11 count BPF maps against the limit of locked memory',
      remedy: 'raise it (ulimit -l unlimited) or run it as root or with cap_sys_resource',
    }
  }
  return { cause: 'not permitted', remedy: 'a security module or container may forbid bpf(2) or perf_event_open(2)' }
}

/** The word in brackets of the lockdown file; undefined where the kernel has no lockdown. */
function lockdownMode(): string | undefined {
  try {
    return /\[(\w+)\]/.exec(readFileSync('/sys/kernel/security/lockdown', 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
