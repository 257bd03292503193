import type { ByteSource } from './byte-source.ts'

/** elf(5); both classes, little-endian: no board of ours is big-endian. */
export interface Section {
  readonly type: number
  readonly address: number
  readonly offset: number
  readonly size: number
  readonly link: number
}

export interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly fileSize: number
}

export interface Elf {
  readonly is64: boolean
  readonly machine: number
  readonly sections: readonly Section[]
  readonly segments: readonly Segment[]
}

const magic = 0x7f454c46
const littleEndian = 1
const PT_LOAD = 1
/** Each lookup walks them; the kernel loads no program with more than 64 KiB of them (load_elf_phdrs of fs/binfmt_elf.c). */
const mostSegments = 1170

/** Reads the headers. Throws RangeError or Error where they are no ELF's. */
export function readElf(source: ByteSource): Elf {
  const ident = source.read(0, 16)
  if (ident.readUInt32BE(0) !== magic) throw new Error('not an ELF file')
  if (ident[5] !== littleEndian) throw new Error('a big-endian ELF file')
  const is64 = ident[4] === 2
  const head = source.read(0, is64 ? 64 : 52)
  const word = (offset64: number, offset32: number): number =>
    is64 ? Number(head.readBigUInt64LE(offset64)) : head.readUInt32LE(offset32)
  const half = (offset64: number, offset32: number): number => head.readUInt16LE(is64 ? offset64 : offset32)

  const sectionSize = is64 ? 64 : 40
  const segmentSize = is64 ? 56 : 32
  if (half(58, 46) !== sectionSize && half(60, 48) > 0) throw new Error('section headers of an unknown size')
  if (half(54, 42) !== segmentSize && half(56, 44) > 0) throw new Error('program headers of an unknown size')
  if (half(56, 44) > mostSegments) throw new Error(`${half(56, 44)} program headers`)
  const sections = table(source, word(40, 32), half(60, 48), sectionSize)
  const segments = table(source, word(32, 28), half(56, 44), segmentSize)
  return {
    is64,
    machine: head.readUInt16LE(18),
    sections: sections.map((entry) => (is64 ? section64(entry) : section32(entry))),
    segments: segments.map((entry) => (is64 ? segment64(entry) : segment32(entry))),
  }
}

/** The virtual address that the file's byte at offset is linked for; undefined outside every loaded segment. */
export function linkedAddress(elf: Elf, fileOffset: number): number | undefined {
  const segment = elf.segments.find(
    (part) => part.type === PT_LOAD && fileOffset >= part.offset && fileOffset < part.offset + part.fileSize,
  )
  return segment === undefined ? undefined : fileOffset - segment.offset + segment.address
}

function table(source: ByteSource, offset: number, count: number, size: number): Buffer[] {
  if (count === 0) return []
  const bytes = source.read(offset, count * size)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
}

function section64(entry: Buffer): Section {
  return {
    type: entry.readUInt32LE(4),
    address: Number(entry.readBigUInt64LE(16)),
    offset: Number(entry.readBigUInt64LE(24)),
    size: Number(entry.readBigUInt64LE(32)),
    link: entry.readUInt32LE(40),
  }
}

function section32(entry: Buffer): Section {
  return {
    type: entry.readUInt32LE(4),
    address: entry.readUInt32LE(12),
    offset: entry.readUInt32LE(16),
    size: entry.readUInt32LE(20),
    link: entry.readUInt32LE(24),
  }
}

function segment64(entry: Buffer): Segment {
  return {
    type: entry.readUInt32LE(0),
    offset: Number(entry.readBigUInt64LE(8)),
    address: Number(entry.readBigUInt64LE(16)),
    fileSize: Number(entry.readBigUInt64LE(32)),
  }
}

function segment32(entry: Buffer): Segment {
  return {
    type: entry.readUInt32LE(0),
    offset: entry.readUInt32LE(4),
    address: entry.readUInt32LE(8),
    fileSize: entry.readUInt32LE(16),
  }
}
