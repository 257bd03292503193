/** One row an architecture: everything compilers, BPF and QEMU call it. */
export interface Arch {
  /** Node's name (process.arch), also ours on the command line. */
  readonly name: 'arm64' | 'x64'
  /** Debian's name. */
  readonly debian: 'arm64' | 'amd64'
  /** Prefix of the GNU tools that build for it on an x86_64 host. */
  readonly gnu: string
  /** -D__TARGET_ARCH_… of libbpf's bpf_tracing.h. */
  readonly bpf: 'arm64' | 'x86'
  /** e_machine (elf.h). */
  readonly machine: number
  /** The largest pages its kernels are built with. */
  readonly maxPageSize: number
  readonly qemu: string
}

export const arches: readonly Arch[] = [
  {
    name: 'arm64',
    debian: 'arm64',
    gnu: 'aarch64-linux-gnu-',
    bpf: 'arm64',
    machine: 183,
    maxPageSize: 65536,
    qemu: 'qemu-system-aarch64',
  },
  {
    name: 'x64',
    debian: 'amd64',
    gnu: 'x86_64-linux-gnu-',
    bpf: 'x86',
    machine: 62,
    maxPageSize: 4096,
    qemu: 'qemu-system-x86_64',
  },
]

/** The row of that name; its absence is the caller's bug or a person's typing. */
export function archOf(name: string): Arch {
  const found = arches.find((arch) => arch.name === name)
  if (found === undefined)
    throw new RangeError(`architecture ${name}: not one of ${arches.map((arch) => arch.name).join(', ')}`)
  return found
}
