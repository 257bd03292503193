import type { Kallsyms } from '../kernel/kallsyms.ts'
import type { EventPlan, Frame, Sample } from '../types.ts'

/** Names a sample's kernel frames, innermost first. arch: Node's name. */
export function nameKernel(
  kallsyms: Kallsyms,
  sample: Sample,
  innermost: EventPlan['innermost'],
  arch: string,
): readonly Frame[] {
  return whole(sample, innermost, arch).map((address, index) => {
    // The call of a return address is the instruction before it.
    const back = index > 0 || innermost === 'return' ? 1n : 0n
    const symbol = kallsyms.find(address - back)
    if (symbol === undefined) return { address, side: 'kernel' }
    return { address, side: 'kernel', symbol: symbol.name, offset: symbol.offset + back, object: symbol.object }
  })
}

/** The chain as it was. */
function whole({ kernel, caller }: Sample, innermost: EventPlan['innermost'], arch: string): readonly bigint[] {
  const [first, second] = kernel
  if (first === undefined) return kernel
  switch (innermost) {
    case 'instruction':
      return kernel
    case 'return':
      // Made-up registers name the place of a tracepoint. Where the walk begins at their
      // frame pointer it finds that place again (arm64 since 6.12): once is right.
      return first === second ? kernel.slice(1) : kernel
    case 'breakpoint': {
      // x86 stops behind the int3, and its ftrace-based probes pretend to (kprobe_ftrace_handler).
      const reached = arch === 'x64' ? first - 1n : first
      // What the walk could not see at the function's entry, unless it has it.
      return caller === 0n || caller === second ? [reached, ...kernel.slice(1)] : [reached, caller, ...kernel.slice(1)]
    }
  }
}
