import { readFileSync } from 'node:fs'
import { lastAtOrBelow } from '../sorted.ts'

export interface KernelSymbol {
  readonly name: string
  /** Address minus the symbol's start. */
  readonly offset: bigint
  /** "kernel", or the module (or "bpf") it belongs to. */
  readonly object: string
}

/** Names of kernel text, from /proc/kallsyms. */
export interface Kallsyms {
  /** False where the kernel hid the addresses (kptr_restrict). */
  readonly addressesShown: boolean
  find(address: bigint): KernelSymbol | undefined
  /** Every function name, for suggestions. */
  names(): Iterable<string>
}

/** Kernel addresses are compared by their low 52 bits: exact as a double, and the bits above are all ones. */
const lowMask = (1n << 52n) - 1n
/** kallsyms tells no sizes; code of a module or of a BPF program this far from its last symbol is not that symbol's. */
const farthest = 1 << 20

const tab = 9
const newline = 10
const space = 32
const underscore = 0x5f
const longestBound = '_einittext'.length

/** Reads and indexes the table; names are cut out of the text only when asked for. */
export function readKallsyms(path = '/proc/kallsyms'): Kallsyms {
  return indexKallsyms(readFileSync(path))
}

export function indexKallsyms(text: Buffer): Kallsyms {
  const starts: number[] = []
  const addresses: number[] = []
  const bounds = { stext: 0, etext: 0, sinittext: 0, einittext: 0 }
  let shown = false

  for (let at = 0; at < text.length; ) {
    const line = at
    const low = lowBits(text, line)
    let end = text.indexOf(newline, line)
    if (end < 0) end = text.length
    at = end + 1
    if (low > 0) shown = true
    // A boundary may be of any type: _etext is where read-only data begins.
    if (text[line + 19] === underscore && end - line - 19 <= longestBound) {
      const name = text.toString('latin1', line + 20, end)
      if (name in bounds) bounds[name as keyof typeof bounds] = low
    }
    // ADDRESS SPACE TYPE SPACE NAME: code is t, T, w or W (nm(1)).
    const type = (text[line + 17] ?? 0) | 0x20
    if (type !== 0x74 && type !== 0x77) continue
    starts.push(line + 19)
    addresses.push(low)
  }
  const boundsKnown = bounds.stext > 0 && bounds.etext > 0
  const order = sortedOrder(addresses)
  const sorted = Float64Array.from(order, (index) => addresses[index] ?? 0)

  const cut = (index: number): { name: string; object: string } => {
    const start = starts[index] ?? 0
    let end = text.indexOf(newline, start)
    if (end < 0) end = text.length
    const bar = text.subarray(start, end).indexOf(tab)
    if (bar < 0) return { name: text.toString('latin1', start, end), object: 'kernel' }
    return {
      name: text.toString('latin1', start, start + bar),
      object: text.toString('latin1', start + bar + 2, end - 1),
    }
  }

  const find = (address: bigint): KernelSymbol | undefined => {
    if (!shown || address >> 52n !== 0xfffn) return undefined
    const low = Number(address & lowMask)
    let index = lastAtOrBelow(sorted, low)
    if (index < 0) return undefined
    const start = sorted[index] ?? 0
    // Of several names for one address the first in the table is the one the kernel itself prints.
    while (index > 0 && sorted[index - 1] === start) index--
    const { name, object } = cut(order[index] ?? 0)
    const inCore = within(low, bounds.stext, bounds.etext) || within(low, bounds.sinittext, bounds.einittext)
    const near = low - start <= farthest
    if (object === 'kernel' && boundsKnown ? !inCore : inCore || !near) return undefined
    return { name, object, offset: BigInt(low - start) }
  }

  // The same few frames lie under most stacks.
  const found = new Map<bigint, KernelSymbol | undefined>()
  return {
    addressesShown: shown,
    find(address) {
      if (!found.has(address)) found.set(address, find(address))
      return found.get(address)
    },
    *names() {
      for (let index = 0; index < starts.length; index++) yield cut(index).name
    },
  }
}

function within(low: number, start: number, end: number): boolean {
  return start > 0 && low >= start && low < end
}

/** The low 52 bits of the 16 hexadecimal digits at offset. */
function lowBits(text: Buffer, offset: number): number {
  let value = 0
  for (let at = offset + 3; at < offset + 16; at++) {
    const digit = text[at] ?? space
    value = value * 16 + (digit > 0x60 ? digit - 0x57 : digit - 0x30)
  }
  return value
}

/** Indexes that walk values upwards; the table is nearly sorted already, modules coming last. */
function sortedOrder(values: readonly number[]): Uint32Array {
  return Uint32Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b)
}
