import type { Kallsyms } from '../kernel/kallsyms.ts'
import type { Frame } from '../types.ts'

/**
 * Names kernel frames, innermost first. caller is what the walk could not see
 * at a function's entry (0n: nothing); it goes behind the innermost frame
 * unless the walk has it already.
 */
export function nameKernel(kallsyms: Kallsyms, addresses: readonly bigint[], caller: bigint): Frame[] {
  return withCaller(addresses, caller).map((address, index) => {
    // All but the innermost are return addresses: the call is the instruction before.
    const back = index > 0 ? 1n : 0n
    const symbol = kallsyms.find(address - back)
    if (symbol === undefined) return { address, side: 'kernel' }
    return { address, side: 'kernel', symbol: symbol.name, offset: symbol.offset + back, object: symbol.object }
  })
}

function withCaller(addresses: readonly bigint[], caller: bigint): readonly bigint[] {
  const [innermost, next] = addresses
  if (innermost === undefined || caller === 0n || next === caller) return addresses
  return [innermost, caller, ...addresses.slice(1)]
}
