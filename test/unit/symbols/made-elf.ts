/** A symbol of a made ELF. */
export interface MadeSymbol {
  readonly name: string
  readonly value: number
  readonly size?: number
  /** Binding × 16 + type; a global function unless said. */
  readonly info?: number
  /** Index of its section; 1 is .text. */
  readonly section?: number
}

export interface MadeElf {
  readonly is64?: boolean
  readonly machine?: number
  readonly symtab?: readonly MadeSymbol[]
  readonly dynsym?: readonly MadeSymbol[]
  /** Program headers of type PT_LOAD; one that maps .text unless said. */
  readonly loads?: readonly { readonly offset: number; readonly address: number; readonly fileSize: number }[]
}

/** .text has no bytes of its own: whatever stands at its place in the file will do. */
export const text = { address: 0x10000, offset: 0, size: 0x10000, fileSize: 0x10000 } as const

/** Offsets of elf(5) in a 64-bit ELF, for those who falsify it. */
export const fields = {
  header: { segmentTable: 32, sectionTable: 40, segmentSize: 54, segments: 56, sectionSize: 58, sections: 60 },
  section: { type: 4, address: 16, offset: 24, size: 32, link: 40 },
} as const
export const sectionHeader = (index: number): number => 64 + 64 * index

const globalFunction = 0x12
const EM_AARCH64 = 183
const types = { none: 0, progbits: 1, symtab: 2, strtab: 3, dynsym: 11, load: 1 } as const

/** ELF header; section headers: none, .text, each table and its strings; program headers; the tables. */
export function madeElf({ is64 = true, machine = EM_AARCH64, symtab, dynsym, loads = [text] }: MadeElf): Buffer {
  const tables = [...(symtab ? [{ type: types.symtab, symbols: symtab }] : [])]
  const all = [...tables, ...(dynsym ? [{ type: types.dynsym, symbols: dynsym }] : [])]
  const sections = [section(is64, { type: types.none }), section(is64, { type: types.progbits, ...text })]
  const segments = loads.map((load) => segment(is64, load))
  const parts: Buffer[] = []
  const count = sections.length + 2 * all.length
  const sectionTable = is64 ? 64 : 52
  const segmentTable = sectionTable + count * (is64 ? 64 : 40)
  let offset = segmentTable + segments.length * (is64 ? 56 : 32)
  for (const { type, symbols } of all) {
    const table = symbolTable(is64, symbols)
    const strings = Buffer.from(`\0${symbols.map(({ name }) => `${name}\0`).join('')}`, 'latin1')
    sections.push(section(is64, { type, offset, size: table.length, link: sections.length + 1 }))
    sections.push(section(is64, { type: types.strtab, offset: offset + table.length, size: strings.length }))
    parts.push(table, strings)
    offset += table.length + strings.length
  }
  const header = struct(
    is64,
    [64, 52],
    [
      ...([
        [18, 18, 2, machine],
        [32, 28, 'word', segmentTable],
        [40, 32, 'word', sectionTable],
      ] as const),
      ...([
        [54, 42, 2, is64 ? 56 : 32],
        [56, 44, 2, segments.length],
      ] as const),
      ...([
        [58, 46, 2, is64 ? 64 : 40],
        [60, 48, 2, count],
      ] as const),
    ],
  )
  header.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1])
  return Buffer.concat([header, ...sections, ...segments, ...parts])
}

/** An offset in either class, a width in bytes ("word": 8 or 4), a value. */
type Field = readonly [at64: number, at32: number, width: 1 | 2 | 4 | 'word', value: number]

function struct(is64: boolean, [size64, size32]: readonly [number, number], filled: readonly Field[]): Buffer {
  const bytes = Buffer.alloc(is64 ? size64 : size32)
  for (const [at64, at32, width, value] of filled) {
    if (is64 && width === 'word') bytes.writeBigUInt64LE(BigInt(value), at64)
    else bytes.writeUIntLE(value, is64 ? at64 : at32, width === 'word' ? 4 : width)
  }
  return bytes
}

interface MadeSection {
  readonly type: number
  readonly address?: number
  readonly offset?: number
  readonly size?: number
  readonly link?: number
}

function section(is64: boolean, { type, address = 0, offset = 0, size = 0, link = 0 }: MadeSection): Buffer {
  return struct(
    is64,
    [64, 40],
    [
      ...([
        [4, 4, 4, type],
        [16, 12, 'word', address],
        [24, 16, 'word', offset],
      ] as const),
      ...([
        [32, 20, 'word', size],
        [40, 24, 4, link],
      ] as const),
    ],
  )
}

function segment(is64: boolean, load: { offset: number; address: number; fileSize: number }): Buffer {
  return struct(
    is64,
    [56, 32],
    [
      ...([
        [0, 0, 4, types.load],
        [8, 4, 'word', load.offset],
      ] as const),
      ...([
        [16, 8, 'word', load.address],
        [32, 16, 'word', load.fileSize],
      ] as const),
    ],
  )
}

function symbolTable(is64: boolean, symbols: readonly MadeSymbol[]): Buffer {
  let nameAt = 1
  const entries = symbols.map(({ name, value, size = 0, info = globalFunction, section: index = 1 }) => {
    const entry = struct(
      is64,
      [24, 16],
      [
        ...([
          [0, 0, 4, nameAt],
          [4, 12, 1, info],
          [6, 14, 2, index],
        ] as const),
        ...([
          [8, 4, 'word', value],
          [16, 8, 'word', size],
        ] as const),
      ],
    )
    nameAt += name.length + 1
    return entry
  })
  return Buffer.concat([Buffer.alloc(is64 ? 24 : 16), ...entries])
}
