/** What the gate reads of a 64-bit little-endian ELF file; names and numbers are elf.h's. */
export interface Elf {
  readonly type: number
  readonly machine: number
  readonly segments: readonly Segment[]
  readonly dynamic: readonly DynamicEntry[]
  readonly symbols: readonly DynamicSymbol[]
}

export interface Segment {
  readonly type: number
  readonly flags: number
  readonly align: number
}

export interface DynamicEntry {
  readonly tag: number
  readonly value: number
  /** The string value points at, for tags whose value is one. */
  readonly text: string
}

export interface DynamicSymbol {
  readonly name: string
  readonly binding: number
  readonly isDefined: boolean
}

const sectionDynamic = 6
const sectionSymbols = 11

/** Throws RangeError where the bytes end too early. */
export function readElf(bytes: Buffer): Elf {
  if (bytes.toString('latin1', 0, 4) !== '\x7fELF' || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new RangeError('not a 64-bit little-endian ELF file')
  }
  const sections = rows(bytes, word(bytes, 40), bytes.readUInt16LE(58), bytes.readUInt16LE(60)).map((row) => ({
    type: row.readUInt32LE(4),
    contents: () => slice(bytes, word(row, 24), word(row, 32)),
    link: row.readUInt32LE(40),
  }))
  const stringsOf = (section: { link: number }) => sections[section.link]?.contents() ?? Buffer.alloc(0)
  const dynamic = sections.find((section) => section.type === sectionDynamic)
  const symbols = sections.find((section) => section.type === sectionSymbols)
  return {
    type: bytes.readUInt16LE(16),
    machine: bytes.readUInt16LE(18),
    segments: rows(bytes, word(bytes, 32), bytes.readUInt16LE(54), bytes.readUInt16LE(56)).map((row) => ({
      type: row.readUInt32LE(0),
      flags: row.readUInt32LE(4),
      align: word(row, 48),
    })),
    dynamic: dynamic === undefined ? [] : dynamicEntries(dynamic.contents(), stringsOf(dynamic)),
    symbols: symbols === undefined ? [] : dynamicSymbols(symbols.contents(), stringsOf(symbols)),
  }
}

function dynamicEntries(table: Buffer, strings: Buffer): DynamicEntry[] {
  const all = rows(table, 0, 16, table.length / 16).map((row) => ({ tag: word(row, 0), value: word(row, 8) }))
  const end = all.findIndex(({ tag }) => tag === 0)
  return all.slice(0, end < 0 ? all.length : end).map((entry) => ({ ...entry, text: textAt(strings, entry.value) }))
}

/** Local symbols and sections are of no concern to a linker. */
function dynamicSymbols(table: Buffer, strings: Buffer): DynamicSymbol[] {
  return rows(table, 0, 24, table.length / 24)
    .map((row) => ({
      name: textAt(strings, row.readUInt32LE(0)),
      binding: row.readUInt8(4) >> 4,
      isDefined: row.readUInt16LE(6) !== 0,
    }))
    .filter(({ binding }) => binding !== 0)
}

function rows(bytes: Buffer, at: number, size: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => slice(bytes, at + index * size, size))
}

function slice(bytes: Buffer, at: number, length: number): Buffer {
  if (at + length > bytes.length) throw new RangeError(`ELF file ends before ${at + length}`)
  return bytes.subarray(at, at + length)
}

function word(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at))
}

function textAt(strings: Buffer, at: number): string {
  if (at >= strings.length) return ''
  return strings.toString('latin1', at, strings.indexOf(0, at))
}
