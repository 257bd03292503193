import type { Readable, Writable } from 'node:stream'

/** What main.ts hands to a command of the process it runs in. */
export interface Host {
  readonly out: Writable
  readonly err: Writable
  readonly input: Readable & { isTTY?: boolean }
  /** Whether out is a terminal that wants colours (NO_COLOR honoured). */
  readonly colours: boolean
  /** The folder that holds fpstack.cjs, fpstack.node and the BPF objects. */
  readonly folder: string
  readonly pid: number
  readonly version: string
  /** Calls back on each of these signals until disposed. */
  onSignal(names: readonly NodeJS.Signals[], call: (name: NodeJS.Signals) => void): () => void
  /** Ends the process at once; what is attached goes with its descriptors. */
  abort(exitCode: number): void
}

/** A global variable of a BPF object and the value it gets between open and load. */
export type Global =
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'u32'; readonly value: number }
  | { readonly type: 'u64'; readonly value: bigint }

/** One event of the command line, understood but not yet attached. */
export interface EventPlan {
  /** As typed. */
  readonly text: string
  /** Key of sources/index.ts. */
  readonly kind: string
  /** What follows the kind, as its source parsed it. */
  readonly target: Readonly<Record<string, string | number>>
  /** The program of stacks.bpf.o that takes its stacks. */
  readonly program: string
  /**
   * What the innermost kernel address is: the instruction that was reached, the one behind the
   * breakpoint that was hit, or a return address as all others.
   */
  readonly innermost: 'instruction' | 'breakpoint' | 'return'
  readonly globals: Readonly<Record<string, Global>>
}

/** All that a trace will do, as data. */
export interface TracePlan {
  readonly object: string
  readonly events: readonly EventPlan[]
  readonly globals: Readonly<Record<string, Global>>
  readonly comms: readonly string[]
  readonly tgids: readonly number[]
  readonly durationMs: number | undefined
  readonly eventLimit: number | undefined
  /** Frames a side. */
  readonly depth: number
  readonly command: readonly string[]
}

/** Either side of a stack could not be read whole. */
export interface SideState {
  readonly cut: boolean
  /** The errno bpf_get_stack gave for it, 0 for none. */
  readonly errno: number
}

/** One distinct stack of one process and event, with addresses only. */
export interface Sample {
  /** Index into TracePlan.events. */
  readonly event: number
  readonly tgid: number
  /** 0 unless threads are counted apart. */
  readonly tid: number
  /** When the stack was first taken: CLOCK_MONOTONIC nanoseconds. */
  readonly time: bigint
  /** Raw bytes of the kernel's task comm as latin1, up to the first NUL. */
  readonly comm: string
  /** Events it stands for. */
  readonly weight: number
  /** Innermost first. */
  readonly kernel: readonly bigint[]
  readonly user: readonly bigint[]
  /** The caller that the walk could not see at function entry; 0n where there is none. */
  readonly caller: bigint
  readonly kernelState: SideState
  readonly userState: SideState
}

/** One executable mapping of a process, as /proc/PID/maps has it (proc(5)). */
export interface Mapping {
  readonly start: bigint
  readonly end: bigint
  /** Byte of the file that start shows. */
  readonly offset: bigint
  /** Major and minor number of the file's device as the kernel writes them: "b3:02". */
  readonly device: string
  readonly inode: bigint
  /** The path as the process had it, "[vdso]" and the like, or "" for anonymous memory. */
  readonly path: string
}

/** What a process did, in CLOCK_MONOTONIC nanoseconds. */
export type ProcessEvent =
  | { readonly kind: 'map'; readonly time: bigint; readonly tgid: number; readonly mapping: Mapping }
  | { readonly kind: 'exec' | 'exit'; readonly time: bigint; readonly tgid: number }
  | { readonly kind: 'fork'; readonly time: bigint; readonly tgid: number; readonly parent: number }
  /** Some of the above had no room. */
  | { readonly kind: 'lost'; readonly time: bigint }

/**
 * table full: neither the table of counts nor the ring buffer had room for the event.
 * stack not sent: counted, but the ring buffer never had room for its frames.
 * too many stacks: sent one by one when user space held all the distinct stacks it keeps.
 */
export type LossCause = 'table full' | 'stack not sent' | 'too many stacks'

/** What came out of the kernel at one time: what processes did, then the stacks that are new since. */
export interface Batch {
  readonly processes: readonly ProcessEvent[]
  readonly samples: readonly Sample[]
  /** Whether older stacks may still be waiting. */
  readonly behind: boolean
}

/** Where every event went: seen = counted + the sum of lost. */
export interface Totals {
  /** Events that passed the filters. */
  readonly seen: number
  /** … whose stack is in the result. */
  readonly counted: number
  readonly lost: Readonly<Record<LossCause, number>>
  /**
   * Runs the kernel kept from our programs because one was already running on
   * that CPU: before any filter, so not part of seen. Kernels since 5.12 tell.
   */
  readonly missed: number
}

/** One frame with what could be found out about it. */
export interface Frame {
  readonly address: bigint
  readonly side: 'kernel' | 'user'
  /** Absent where no symbol covers the address. */
  readonly symbol?: string
  /** Bytes from the symbol's start, else from the object's. */
  readonly offset?: bigint
  /** "kernel", a kernel module, the mapped file, "[vdso]"; absent where nothing is mapped there. */
  readonly object?: string
}

/** A named stack as formats see it. */
export interface Stack {
  /** As typed on the command line. */
  readonly event: string
  readonly tgid: number
  readonly tid: number
  readonly comm: string
  readonly weight: number
  /** Innermost first. */
  readonly kernel: readonly Frame[]
  readonly user: readonly Frame[]
  readonly kernelState: SideState
  readonly userState: SideState
  /** Whether the frame pointers led out of code behind the outermost user frame. */
  readonly userStray: boolean
}

/** What a format renders. */
export interface Report {
  readonly events: readonly string[]
  /** Distinct by address, hottest first. */
  readonly stacks: readonly Stack[]
  readonly totals: Totals
  readonly depth: number
  readonly kernelRelease: string
  readonly arch: string
}
