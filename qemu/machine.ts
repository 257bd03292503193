import type { Arch } from '../scripts/cross/arch.ts'
import type { Accelerator } from './accelerator.ts'

export interface Machine {
  readonly arch: Arch
  readonly accelerator: Accelerator
  readonly image: string
  /** Path of the initramfs. */
  readonly root: string
  readonly cpus: number
  /** MB */
  readonly memory: number
  /** Counts instructions instead of time: slower, and the same in every run. */
  readonly icount: boolean
  /** Words for process 1. */
  readonly init: readonly string[]
}

const boards = {
  arm64: { board: 'virt', cpu: 'max,pauth-impdef=on', boot: 'console=ttyAMA0' },
  // QEMU 7.2 leaves garbage in the flags after cmpxchg16b: some boots of 6.12 died of a double fault
  // in the allocator right after it. The kernel has another way where the CPU lacks it.
  // On a busy host the emulated timer now and then fails the kernel's check, which gives up then.
  x64: { board: 'pc', cpu: 'max,cx16=off', boot: 'console=ttyS0 no_timer_check' },
} as const

/** QEMU's arguments: the console on its stdin and stdout. */
export function machineArguments(machine: Machine): string[] {
  const { board, cpu, boot } = boards[machine.arch.name]
  // A panic reboots, which -no-reboot turns into QEMU's end: it is noticed at once.
  const append = [boot, 'loglevel=5 panic=-1 rdinit=/init --', ...machine.init].join(' ')
  return [
    ...['-M', board, '-m', String(machine.memory)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...processors(machine, cpu),
    ...['-kernel', machine.image, '-initrd', machine.root, '-append', append],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
  ]
}

function processors({ accelerator, cpus, icount }: Machine, cpu: string): string[] {
  if (icount) return ['-cpu', cpu, '-icount', 'shift=0,sleep=off', '-smp', '1']
  if (accelerator === 'kvm') return ['-cpu', 'host', '-accel', 'kvm', '-smp', String(cpus)]
  return ['-cpu', cpu, '-accel', 'tcg,thread=multi', '-smp', String(cpus)]
}

/** The agent's port, on QEMU's descriptor 3. */
export const agentPort: readonly string[] = [
  ...['-device', 'virtio-serial-pci', '-chardev', 'socket,id=agent,fd=3'],
  ...['-device', 'virtserialport,chardev=agent,nr=1'],
]
