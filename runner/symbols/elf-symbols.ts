import { lastAtOrBelow } from '../sorted.ts'
import type { ByteSource } from './byte-source.ts'
import type { Elf, Section } from './elf.ts'

export interface ElfSymbol {
  readonly name: string
  /** Address minus the symbol's start. */
  readonly offset: number
}

/** Function symbols of one object, by the address they are linked for. */
export interface SymbolTable {
  find(address: number): ElfSymbol | undefined
}

/** elf(5): section types, symbol types and bindings. */
const SHT_SYMTAB = 2
const SHT_DYNSYM = 11
const STT_NOTYPE = 0
const STT_FUNC = 2
const STT_GNU_IFUNC = 10
const SHN_UNDEF = 0
const SHN_LORESERVE = 0xff00
const EM_ARM = 40

interface Candidate {
  readonly address: number
  readonly size: number
  readonly binding: number
  /** Where its name begins in the string table. */
  readonly name: number
  /** Where its section ends: a symbol without a size reaches no farther. */
  readonly limit: number
}

/** Reads .symtab, else .dynsym; an object with neither has an empty table. */
export function readSymbols(source: ByteSource, elf: Elf): SymbolTable {
  const wanted = elf.sections.find((section) => section.type === SHT_SYMTAB)
  const section = wanted ?? elf.sections.find((candidate) => candidate.type === SHT_DYNSYM)
  const strings = section && elf.sections[section.link]
  if (section === undefined || strings === undefined) return { find: () => undefined }
  const candidates = candidatesOf(source.read(section.offset, section.size), elf)
  return indexed(candidates, source.read(strings.offset, strings.size))
}

function candidatesOf(table: Buffer, elf: Elf): Candidate[] {
  const entrySize = elf.is64 ? 24 : 16
  const found: Candidate[] = []
  for (let at = 0; at + entrySize <= table.length; at += entrySize) {
    const info = table[at + (elf.is64 ? 4 : 12)] ?? 0
    const type = info & 0xf
    if (type !== STT_FUNC && type !== STT_GNU_IFUNC && type !== STT_NOTYPE) continue
    const index = table.readUInt16LE(at + (elf.is64 ? 6 : 14))
    if (index === SHN_UNDEF || index >= SHN_LORESERVE) continue
    const section: Section | undefined = elf.sections[index]
    if (section === undefined) continue
    const value = elf.is64 ? Number(table.readBigUInt64LE(at + 8)) : table.readUInt32LE(at + 4)
    const size = elf.is64 ? Number(table.readBigUInt64LE(at + 16)) : table.readUInt32LE(at + 8)
    // A Thumb function's lowest bit is a mode, not an address (ELF for the Arm Architecture, 5.5.3).
    const address = elf.machine === EM_ARM && type === STT_FUNC ? value & ~1 : value
    found.push({
      address,
      size,
      binding: info >> 4,
      name: table.readUInt32LE(at),
      limit: section.address + section.size,
    })
  }
  return found
}

function indexed(candidates: Candidate[], strings: Buffer): SymbolTable {
  // Mapping symbols ($x, $d, $a, $t) mark what follows as code or data; they name nothing.
  const named = candidates.filter(({ name }) => name < strings.length && strings[name] !== 0 && strings[name] !== 0x24)
  const sized = ordered(named.filter((symbol) => symbol.size > 0))
  const sizeless = ordered(named.filter((symbol) => symbol.size === 0))
  const ends = runningMaximum(sized.symbols)

  const findSized = (address: number): Candidate | undefined => {
    const last = lastAtOrBelow(sized.starts, address)
    for (let index = last; index >= 0 && index > last - nested && (ends[index] ?? 0) > address; index--) {
      const symbol = sized.symbols[index]
      if (symbol !== undefined && address < symbol.address + symbol.size) return symbol
    }
    return undefined
  }
  // Hand-written assembly has no sizes: it reaches to whatever comes next.
  const findSizeless = (address: number): Candidate | undefined => {
    const symbol = sizeless.symbols[lastAtOrBelow(sizeless.starts, address)]
    const between = sized.symbols[lastAtOrBelow(sized.starts, address)]?.address ?? -1
    return symbol !== undefined && address < symbol.limit && between < symbol.address ? symbol : undefined
  }

  return {
    find(address) {
      const size = findSized(address)
      const found = size ?? findSizeless(address)
      if (found === undefined) return undefined
      const aliases = aliasesOf(size === undefined ? sizeless : sized, found.address)
      const name = plainest(aliases, strings)
      return { name, offset: address - found.address }
    },
  }
}

/** Symbols that one address may be inside of at once; more is an object made to be slow. */
const nested = 64

interface Ordered {
  readonly symbols: readonly Candidate[]
  readonly starts: Float64Array
}

function ordered(symbols: Candidate[]): Ordered {
  symbols.sort((a, b) => a.address - b.address)
  return { symbols, starts: Float64Array.from(symbols, ({ address }) => address) }
}

/** For each index the highest end of any symbol up to it: below it a search backwards may stop. */
function runningMaximum(symbols: readonly Candidate[]): Float64Array {
  let highest = 0
  return Float64Array.from(symbols, ({ address, size }) => {
    highest = Math.max(highest, address + size)
    return highest
  })
}

function aliasesOf(among: Ordered, address: number): Candidate[] {
  const last = lastAtOrBelow(among.starts, address)
  const aliases: Candidate[] = []
  for (let index = last; index > last - nested && among.starts[index] === address; index--) {
    const symbol = among.symbols[index]
    if (symbol !== undefined) aliases.push(symbol)
  }
  return aliases
}

/** Of aliases a global one, then a weak one, then the one with the fewest underscores before it, then the shortest. */
function plainest(aliases: readonly Candidate[], strings: Buffer): string {
  const ranked = aliases.map((symbol) => ({ name: nameAt(strings, symbol.name), binding: bindingRank(symbol.binding) }))
  const underscores = (name: string): number => name.length - name.replace(/^_+/, '').length
  ranked.sort(
    (a, b) =>
      a.binding - b.binding ||
      underscores(a.name) - underscores(b.name) ||
      a.name.length - b.name.length ||
      (a.name < b.name ? -1 : 1),
  )
  return ranked[0]?.name ?? ''
}

/** STB_GLOBAL 1, STB_WEAK 2, STB_LOCAL 0. */
function bindingRank(binding: number): number {
  return binding === 1 ? 0 : binding === 2 ? 1 : 2
}

function nameAt(strings: Buffer, start: number): string {
  const end = strings.indexOf(0, start)
  return strings.toString('utf8', start, end < 0 ? strings.length : end)
}
