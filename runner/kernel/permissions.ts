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

/** Why the kernel said EPERM or EACCES to BPF (load) or perf events (attach), as far as can be told. */
export function explainRefusal(operation: 'load' | 'attach'): Refusal {
  const missing = (['cap_bpf', 'cap_perfmon'] as const).filter((name) => !held(name))
  if (missing.length > 0 && !held('cap_sys_admin')) {
    const names = missing.join(' and ')
    return {
      cause: `not permitted: ${names} ${missing.length > 1 ? 'are' : 'is'} lacking`,
      remedy: `run it as root or with ${names}`,
    }
  }
  const lockdown = bracketed('/sys/kernel/security/lockdown')
  if (lockdown !== undefined && lockdown !== 'none') {
    return {
      cause: `the kernel is locked down (${lockdown})`,
      remedy: 'boot it with lockdown=none or without secure boot',
    }
  }
  if (
    operation === 'attach' &&
    Number(contents('/proc/sys/kernel/perf_event_paranoid')) > 2 &&
    !held('cap_sys_admin')
  ) {
    // A patch of Debian's and Android's kernels: above 2 perf events are for CAP_SYS_ADMIN alone.
    return {
      cause: 'kernel.perf_event_paranoid above 2 asks for cap_sys_admin',
      remedy: 'sysctl kernel.perf_event_paranoid=2, or run it as root',
    }
  }
  if (operation === 'load' && !held('cap_sys_resource') && lockedMemoryIsLimited()) {
    return {
      cause: 'not permitted: kernels before 5.11 count BPF maps against the limit of locked memory',
      remedy: 'raise it (ulimit -l unlimited) or run it as root or with cap_sys_resource',
    }
  }
  return { cause: 'not permitted', remedy: 'a security module or container may forbid bpf(2) or perf_event_open(2)' }
}

/** Max locked memory of getrlimit(2), as proc(5) shows it. */
function lockedMemoryIsLimited(): boolean {
  return !/^Max locked memory\s+unlimited/m.test(contents('/proc/self/limits') ?? '')
}

/** The word in brackets of a file that lists choices. */
function bracketed(path: string): string | undefined {
  return /\[(\w+)\]/.exec(contents(path) ?? '')?.[1]
}

/** undefined where the kernel has no such file or hides it. */
function contents(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
