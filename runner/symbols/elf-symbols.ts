import { lastAtOrBelow } from '../sorted.ts'
import type { ByteSource } from './byte-source.ts'
import type { Elf } from './elf.ts'

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
const STB_GLOBAL = 1
const STB_WEAK = 2
const SHN_UNDEF = 0
const SHN_LORESERVE = 0xff00
const EM_ARM = 40

/** Symbols that one address may be inside of at once; more is an object made to be slow. */
const nested = 64
/** Bytes of a name that are shown; longer ones are C++ gone wild, or made to be slow. */
const longestName = 4096
const dollar = 0x24

/** Columns instead of objects: a browser's table has a million rows, a board little memory. */
interface Rows {
  readonly starts: Float64Array
  /** Where each ends: by its size, else with its section, because a symbol without a size reaches no farther. */
  readonly ends: Float64Array
  /** Where each name begins in the string table. */
  readonly names: Uint32Array
  readonly bindings: Uint8Array
}

/** Reads .symtab, else .dynsym; an object with neither has an empty table. */
export function readSymbols(source: ByteSource, elf: Elf): SymbolTable {
  const wanted = elf.sections.find((section) => section.type === SHT_SYMTAB)
  const section = wanted ?? elf.sections.find((candidate) => candidate.type === SHT_DYNSYM)
  const strings = section && elf.sections[section.link]
  if (section === undefined || strings === undefined) return { find: () => undefined }
  const names = source.read(strings.offset, strings.size)
  return indexed(...rowsOf(source.read(section.offset, section.size), elf, names), names)
}

/** The functions of a symbol table, those with a size and those without, each by address. */
function rowsOf(table: Buffer, elf: Elf, names: Buffer): [sized: Rows, sizeless: Rows] {
  const entrySize = elf.is64 ? 24 : 16
  const all = rows(Math.floor(table.length / entrySize))
  const sized: number[] = []
  const sizeless: number[] = []
  const word = (at: number): number =>
    elf.is64 ? table.readUInt32LE(at) + table.readUInt32LE(at + 4) * 2 ** 32 : table.readUInt32LE(at)
  for (let index = 0; index < all.starts.length; index++) {
    const at = index * entrySize
    const info = table[at + (elf.is64 ? 4 : 12)] ?? 0
    const type = info & 0xf
    if (type !== STT_FUNC && type !== STT_GNU_IFUNC && type !== STT_NOTYPE) continue
    const sectionIndex = table.readUInt16LE(at + (elf.is64 ? 6 : 14))
    if (sectionIndex === SHN_UNDEF || sectionIndex >= SHN_LORESERVE) continue
    const section = elf.sections[sectionIndex]
    const name = table.readUInt32LE(at)
    // Mapping symbols ($x, $d, $a, $t) mark what follows as code or data; they name nothing.
    if (section === undefined || name >= names.length || names[name] === 0 || names[name] === dollar) continue
    const value = word(at + (elf.is64 ? 8 : 4))
    const size = word(at + (elf.is64 ? 16 : 8))
    // A Thumb function's lowest bit is a mode, not an address (ELF for the Arm Architecture, 5.5.3).
    const start = elf.machine === EM_ARM && type === STT_FUNC ? value - (value % 2) : value
    all.starts[index] = start
    all.ends[index] = size > 0 ? start + size : section.address + section.size
    all.names[index] = name
    all.bindings[index] = info >> 4
    ;(size > 0 ? sized : sizeless).push(index)
  }
  return [ordered(all, sized), ordered(all, sizeless)]
}

function rows(length: number): Rows {
  return {
    starts: new Float64Array(length),
    ends: new Float64Array(length),
    names: new Uint32Array(length),
    bindings: new Uint8Array(length),
  }
}

function ordered(all: Rows, picked: number[]): Rows {
  picked.sort((a, b) => (all.starts[a] ?? 0) - (all.starts[b] ?? 0))
  const sorted = rows(picked.length)
  for (let to = 0; to < picked.length; to++) {
    const from = picked[to] ?? 0
    sorted.starts[to] = all.starts[from] ?? 0
    sorted.ends[to] = all.ends[from] ?? 0
    sorted.names[to] = all.names[from] ?? 0
    sorted.bindings[to] = all.bindings[from] ?? 0
  }
  return sorted
}

function indexed(sized: Rows, sizeless: Rows, names: Buffer): SymbolTable {
  const highest = runningMaximum(sized.ends)

  const findSized = (address: number): number => {
    const last = lastAtOrBelow(sized.starts, address)
    for (let index = last; index > last - nested && (highest[index] ?? 0) > address; index--) {
      if (address < (sized.ends[index] ?? 0)) return index
    }
    return -1
  }
  // Hand-written assembly has no sizes: it reaches to whatever comes next.
  const findSizeless = (address: number): number => {
    const index = lastAtOrBelow(sizeless.starts, address)
    const between = sized.starts[lastAtOrBelow(sized.starts, address)] ?? -1
    return address < (sizeless.ends[index] ?? 0) && between < (sizeless.starts[index] ?? 0) ? index : -1
  }

  return {
    find(address) {
      const index = findSized(address)
      if (index >= 0) return told(sized, index, address, names)
      const other = findSizeless(address)
      return other < 0 ? undefined : told(sizeless, other, address, names)
    },
  }
}

/** For each index the highest end of any symbol up to it: below it a search backwards may stop. */
function runningMaximum(ends: Float64Array): Float64Array {
  let highest = 0
  return ends.map((end) => {
    highest = Math.max(highest, end)
    return highest
  })
}

function told(among: Rows, index: number, address: number, names: Buffer): ElfSymbol {
  const start = among.starts[index] ?? 0
  const aliases: Alias[] = []
  const last = lastAtOrBelow(among.starts, start)
  for (let other = last; other > last - nested && among.starts[other] === start; other--) {
    const name = nameAt(names, among.names[other] ?? 0)
    aliases.push({ name, binding: bindingRank(among.bindings[other]) })
  }
  return { name: plainest(aliases), offset: address - start }
}

interface Alias {
  readonly name: string
  readonly binding: number
}

/** Of aliases a global one, then a weak one, then the one with the fewest underscores before it, then the shortest. */
function plainest(aliases: Alias[]): string {
  const underscores = (name: string): number => name.length - name.replace(/^_+/, '').length
  aliases.sort(
    (a, b) =>
      a.binding - b.binding ||
      underscores(a.name) - underscores(b.name) ||
      a.name.length - b.name.length ||
      (a.name < b.name ? -1 : 1),
  )
  return aliases[0]?.name ?? ''
}

function bindingRank(binding: number | undefined): number {
  return binding === STB_GLOBAL ? 0 : binding === STB_WEAK ? 1 : 2
}

function nameAt(names: Buffer, start: number): string {
  const room = names.subarray(start, start + longestName)
  const end = room.indexOf(0)
  return room.toString('utf8', 0, end < 0 ? room.length : end)
}
