import type { Arch } from '../scripts/cross/arch.ts'

export interface Machine {
  readonly arch: Arch
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
  arm64: { board: ['-M', 'virt', '-cpu', 'max,pauth-impdef=on'], boot: 'console=ttyAMA0' },
  // QEMU 7.2 leaves garbage in the flags after cmpxchg16b, and one boot in four of 6.12 dies of a
  // double fault in the allocator. The kernel has another way where the CPU lacks it.
  // Under a busy host's emulation the timer check fails now and then, and the kernel gives up.
  x64: { board: ['-M', 'pc', '-cpu', 'max,cx16=off'], boot: 'console=ttyS0 no_timer_check' },
} as const

/** QEMU's arguments: the console on stdin and stdout, the agent's port on descriptor 3. */
export function machineArguments(machine: Machine): string[] {
  const { board, boot } = boards[machine.arch.name]
  // A panic reboots, which -no-reboot turns into QEMU's end: it is noticed at once.
  const append = [boot, 'loglevel=5 panic=-1', 'rdinit=/init', '--', ...machine.init].join(' ')
  return [
    ...board,
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...(machine.icount ? ['-icount', 'shift=0,sleep=off', '-smp', '1'] : ['-accel', 'tcg,thread=multi']),
    ...(machine.icount ? [] : ['-smp', String(machine.cpus)]),
    ...['-m', String(machine.memory), '-kernel', machine.image, '-initrd', machine.root, '-append', append],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
  ]
}

export const agentPort: readonly string[] = [
  ...['-device', 'virtio-serial-pci', '-chardev', 'socket,id=agent,fd=3'],
  ...['-device', 'virtserialport,chardev=agent,nr=1'],
]
