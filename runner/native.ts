import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch } from 'node:os'
import { join } from 'node:path'
import { errorName, errorText, failure } from './errors.ts'

/**
 * The typed face of the addon (native/*.c) and its only importer.
 *
 * Every call that can fail answers a negative errno, never throws for what the
 * kernel refused; it throws TypeError only for arguments of the wrong type or
 * a handle of the wrong kind (our bug). A closed handle answers -EBADF.
 * Closing twice is harmless.
 */
declare const brand: unique symbol
type Handle<Kind extends string> = { readonly [brand]: Kind }
export type ObjectHandle = Handle<'object'>
export type LinkHandle = Handle<'link'>
export type RingHandle = Handle<'ring'>
export type SidebandHandle = Handle<'sideband'>
/** A negative errno. */
export type Errno = number

export interface ProgramInfo {
  readonly name: string
  /** ELF section, as in SEC(): "kprobe", "perf_event" … */
  readonly section: string
  /** enum bpf_prog_type (linux/bpf.h). */
  readonly type: number
}

export interface MapInfo {
  readonly name: string
  /** enum bpf_map_type (linux/bpf.h). */
  readonly type: number
  readonly keySize: number
  /** Bytes of one value; for per-CPU maps of one CPU's, see possibleCpus. */
  readonly valueSize: number
  readonly maxEntries: number
}

export interface ProgramStatus {
  readonly id: number
  readonly tag: string
  /** Events the kernel itself kept from the program because it was already running there; kernels since 5.12. */
  readonly recursionMisses: number
  /** Machine code, 0 where the JIT is off. */
  readonly jitedBytes: number
}

/** One row of what the kernel holds, as listed by BPF_PROG_GET_NEXT_ID and BPF_LINK_GET_NEXT_ID. */
export interface KernelProgram {
  readonly id: number
  readonly type: number
  readonly name: string
}
export interface KernelLink {
  readonly id: number
  readonly type: number
  readonly programId: number
}

export interface PerfEvent {
  /** perf_event_attr.type and .config (perf_event_open(2)). */
  readonly type: number
  readonly config: bigint
  /** Exactly one of the two: events between samples, or samples a second. */
  readonly period?: bigint
  readonly frequency?: bigint
  /** -1 for all processes; a CPU then has to be given. */
  readonly pid: number
  /** -1 for every CPU the process runs on. */
  readonly cpu: number
}

export interface Addon {
  /** "1.5" */
  libbpfVersion(): string
  /** What libbpf and the verifier have said since the last call, newest kept, at most 1 MiB. */
  takeLog(): string

  /** Opens an object from its bytes (copied). btf: a file to relocate against in place of the kernel's own. */
  openObject(bytes: Uint8Array, name: string, btf: string | undefined): ObjectHandle | Errno
  closeObject(object: ObjectHandle): void
  programs(object: ObjectHandle): ProgramInfo[]
  maps(object: ObjectHandle): MapInfo[]
  setAutoload(object: ObjectHandle, program: string, on: boolean): Errno | 0
  setAutocreate(object: ObjectHandle, map: string, on: boolean): Errno | 0
  setMaxEntries(object: ObjectHandle, map: string, entries: number): Errno | 0
  /** Sets the initial value of a global by its BTF name. -ENOENT: no such global; -EINVAL: not its size. Before load. */
  setGlobal(object: ObjectHandle, name: string, value: Uint8Array): Errno | 0
  /** Before load: uses the map of that name of another, loaded object. */
  shareMap(object: ObjectHandle, map: string, from: ObjectHandle): Errno | 0
  load(object: ObjectHandle): Errno | 0
  programStatus(object: ObjectHandle, program: string): ProgramStatus | Errno

  attachKprobe(
    object: ObjectHandle,
    program: string,
    symbol: string,
    offset: number,
    isReturn: boolean,
  ): LinkHandle | Errno
  attachTracepoint(object: ObjectHandle, program: string, category: string, name: string): LinkHandle | Errno
  attachPerfEvent(object: ObjectHandle, program: string, event: PerfEvent): LinkHandle | Errno
  closeLink(link: LinkHandle): void

  /** Highest possible CPU number + 1: how many values a per-CPU lookup gives, each padded to 8 bytes. */
  possibleCpus(): number
  lookup(object: ObjectHandle, map: string, key: Uint8Array, value: Uint8Array): Errno | 0
  update(object: ObjectHandle, map: string, key: Uint8Array, value: Uint8Array): Errno | 0
  /**
   * Fills keys and values with the next entries and answers how many; 0 at the end.
   * cursor: keySize + 8 bytes, zeroed before the first call, opaque after.
   * One system call a batch where the kernel has BPF_MAP_LOOKUP_BATCH (5.6), else two an entry.
   */
  readMap(object: ObjectHandle, map: string, cursor: Uint8Array, keys: Uint8Array, values: Uint8Array): number | Errno

  openRing(object: ObjectHandle, map: string): RingHandle | Errno
  /** Resolves to 1 when records wait, 0 when cancelled or closed, or a negative errno. Never blocks the event loop. */
  waitRing(ring: RingHandle): Promise<number>
  /** Ends a pending waitRing, and every later one. */
  cancelRing(ring: RingHandle): void
  /**
   * Copies whole records into buffer, each as u32 length + bytes, padded to 8; answers the bytes
   * used, 0 when none waits. A record larger than the buffer answers -EMSGSIZE and stays.
   */
  readRing(ring: RingHandle, buffer: Buffer): number | Errno
  closeRing(ring: RingHandle): void

  /**
   * Has the kernel note, for every process, what PERF_RECORD_MMAP2, COMM, FORK and EXIT tell
   * (perf_event_open(2)), stamped with CLOCK_MONOTONIC. pages: of buffer a CPU, a power of two.
   */
  openSideband(pages: number): SidebandHandle | Errno
  /**
   * Copies whole records, each with its perf_event_header, CPU after CPU; answers the bytes used, 0
   * when none waits or it is closed. The buffer has to hold 64 KiB, the most a record can take.
   */
  readSideband(sideband: SidebandHandle, buffer: Buffer): number
  closeSideband(sideband: SidebandHandle): void

  kernelPrograms(): KernelProgram[] | Errno
  kernelLinks(): KernelLink[] | Errno
}

/** e_machine (elf.h) of the architectures an addon is built for. */
const machines: Readonly<Partial<Record<string, number>>> = { arm64: 183, x64: 62 }
const machineNames = new Map([
  [183, 'aarch64'],
  [62, 'x86_64'],
  [40, '32-bit ARM'],
])

/** Loads fpstack.node from beside the bundle. */
export function loadAddon(folder: string): Addon {
  const path = join(folder, 'fpstack.node')
  checkMachine(path)
  try {
    return createRequire(path)(path) as Addon
  } catch (error) {
    throw failure('load', path, errorText(error), 'copy the whole folder that was built for this board')
  }
}

/** Says in words what the dynamic linker would say in riddles. */
function checkMachine(path: string): void {
  const head = Buffer.alloc(64)
  let length = 0
  let size = 0
  try {
    const fd = openSync(path, 'r')
    try {
      length = readSync(fd, head, 0, head.length, 0)
      size = fstatSync(fd).size
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    const cause = errorName(error) === 'ENOENT' ? 'it is not beside fpstack.cjs' : errorText(error)
    throw failure('load', path, cause, 'copy the whole folder, not the .cjs alone')
  }
  if (length < head.length || head.readUInt32BE(0) !== 0x7f454c46) {
    throw failure('load', path, 'not an ELF file', 'copy the folder again')
  }
  // The section headers come last (elf(5): e_shoff, e_shentsize, e_shnum); mapping a file cut short would end in SIGBUS.
  if (Number(head.readBigUInt64LE(40)) + head.readUInt16LE(58) * head.readUInt16LE(60) > size) {
    throw failure('load', path, 'not whole', 'copy the folder again')
  }
  const machine = head.readUInt16LE(18)
  const wanted = machines[arch()]
  if (wanted === undefined) {
    throw failure('load', path, `this Node is built for ${arch()}`, 'run it with an arm64 or x64 Node')
  }
  if (machine !== wanted) {
    const built = machineNames.get(machine) ?? `machine ${machine}`
    throw failure('load', path, `built for ${built}, this Node is ${arch()}`, `copy dist/linux-${arch()} instead`)
  }
}
