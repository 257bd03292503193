import type { Kallsyms } from '../kernel/kallsyms.ts'
import type { EventPlan, Frame, Sample } from '../types.ts'

/** Names a sample's kernel frames, innermost first. */
export function nameKernel(kallsyms: Kallsyms, sample: Sample, innermost: EventPlan['innermost']): Frame[] {
  return whole(sample, innermost).map((address, index) => {
    // The call of a return address is the instruction before it.
    const back = index > 0 || innermost === 'return' ? 1n : 0n
    const symbol = kallsyms.find(address - back)
    if (symbol === undefined) return { address, side: 'kernel' }
    return { address, side: 'kernel', symbol: symbol.name, offset: symbol.offset + back, object: symbol.object }
  })
}

/**
 * The chain as it was. The caller that the walk could not see at a function's
 * entry goes behind the innermost frame, unless the walk has it. Made-up
 * registers name the place of a tracepoint, and where the walk begins at their
 * frame pointer it finds that place again (arm64 since 6.12): once is right.
 */
function whole({ kernel, caller }: Sample, innermost: EventPlan['innermost']): readonly bigint[] {
  const [first, second] = kernel
  if (first === undefined) return kernel
  if (innermost === 'return') return first === second ? kernel.slice(1) : kernel
  return caller === 0n || caller === second ? kernel : [first, caller, ...kernel.slice(1)]
}
