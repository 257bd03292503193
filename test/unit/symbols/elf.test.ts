import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bytesOf, openRegular } from '../../../runner/symbols/byte-source.ts'
import { linkedAddress, readElf } from '../../../runner/symbols/elf.ts'
import { fields, madeElf, sectionHeader } from './made-elf.ts'

const programs = ['arm64', 'x64'].flatMap((arch) =>
  ['static_demo', 'pie_demo', 'libdemo_stripped.so'].map((name) => `build/programs/${arch}/${name}`),
)

interface Printed {
  readonly ElfHeader: { readonly Machine: { readonly Value: number } }
  readonly Sections: readonly { readonly Section: Numbers & { readonly Type: { readonly Value: number } } }[]
  readonly ProgramHeaders: readonly {
    readonly ProgramHeader: Numbers & { readonly Type: { readonly Value: number } }
  }[]
}
type Numbers = Readonly<Record<'Address' | 'VirtualAddress' | 'Offset' | 'Size' | 'FileSize' | 'Link', number>>

test.each(programs)('the headers of %s are those that readelf prints', (path) => {
  const file = openRegular(path)
  const elf = readElf(file)
  file.close()
  const json = execFileSync('llvm-readelf-19', ['--elf-output-style=JSON', '-hSl', path], { encoding: 'utf8' })
  const [printed] = JSON.parse(json) as [Printed]
  expect(elf).toEqual({
    is64: true,
    machine: printed.ElfHeader.Machine.Value,
    sections: printed.Sections.map(({ Section: { Type, Address, Offset, Size, Link } }) => {
      return { type: Type.Value, address: Address, offset: Offset, size: Size, link: Link }
    }),
    segments: printed.ProgramHeaders.map(({ ProgramHeader: { Type, VirtualAddress, Offset, FileSize } }) => {
      return { type: Type.Value, address: VirtualAddress, offset: Offset, fileSize: FileSize }
    }),
  })
  expect(elf.sections.length).toBeGreaterThan(20)
})

test('a byte of the file is where a segment loads it', () => {
  const loads = [
    { offset: 0, address: 0x400000, fileSize: 0x1000 },
    { offset: 0x1000, address: 0x411000, fileSize: 0x800 },
  ]
  const elf = readElf(bytesOf(madeElf({ loads })))
  expect(linkedAddress(elf, 0)).toBe(0x400000)
  expect(linkedAddress(elf, 0xfff)).toBe(0x400fff)
  expect(linkedAddress(elf, 0x1000)).toBe(0x411000)
  expect(linkedAddress(elf, 0x17ff)).toBe(0x4117ff)
  expect(linkedAddress(elf, 0x1800)).toBeUndefined()
  expect(linkedAddress(elf, -1)).toBeUndefined()
})

test('a 32-bit ELF is read alike', () => {
  const loads = [{ offset: 0x1000, address: 0x11000, fileSize: 0x800 }]
  const elf = readElf(bytesOf(madeElf({ is64: false, machine: 40, loads, symtab: [] })))
  expect(elf).toMatchObject({ is64: false, machine: 40 })
  expect(elf.segments).toEqual([{ type: 1, ...loads[0] }])
  expect(elf.sections.map(({ type }) => type)).toEqual([0, 1, 2, 3])
  expect(elf.sections[2]).toMatchObject({ size: 16, link: 3 })
  expect(linkedAddress(elf, 0x1004)).toBe(0x11004)
})

test('an object without sections or segments has none', () => {
  const bytes = madeElf({})
  bytes.writeUInt16LE(0, fields.header.sections)
  bytes.writeUInt16LE(0, fields.header.segments)
  // With none there, their sizes do not matter.
  bytes.writeUInt16LE(0, fields.header.sectionSize)
  bytes.writeUInt16LE(0, fields.header.segmentSize)
  expect(readElf(bytesOf(bytes))).toMatchObject({ sections: [], segments: [] })
})

test.each<[string, (bytes: Buffer) => void, string]>([
  ['no magic', (bytes) => bytes.writeUInt8(0x7e, 0), 'not an ELF file'],
  ['big-endian', (bytes) => bytes.writeUInt8(2, 5), 'a big-endian ELF file'],
  [
    'odd section headers',
    (bytes) => bytes.writeUInt16LE(63, fields.header.sectionSize),
    'section headers of an unknown size',
  ],
  [
    'odd program headers',
    (bytes) => bytes.writeUInt16LE(1, fields.header.segmentSize),
    'program headers of an unknown size',
  ],
  [
    'a great many program headers',
    (bytes) => bytes.writeUInt16LE(65535, fields.header.segments),
    '65535 program headers',
  ],
  ['more sections than file', (bytes) => bytes.writeUInt16LE(9, fields.header.sections), '576 bytes at 64 of 248'],
  [
    'sections beyond the file',
    (bytes) => bytes.writeBigUInt64LE(2n ** 40n, fields.header.sectionTable),
    '128 bytes at 1099511627776 of 248',
  ],
  [
    'segments beyond all numbers',
    (bytes) => bytes.writeBigUInt64LE(2n ** 64n - 1n, fields.header.segmentTable),
    '56 bytes at 18446744073709552000 of 248',
  ],
])('%s', (_, falsify, message) => {
  const bytes = madeElf({})
  falsify(bytes)
  expect(() => readElf(bytesOf(bytes))).toThrow(expect.objectContaining({ message }))
})

test.each(['', '\x7fELF', '#!/bin/sh\n', '\x7fELF\x02\x01\x01'])('%j is no ELF', (text) => {
  expect(() => readElf(bytesOf(Buffer.from(text, 'latin1')))).toThrow(/^\d+ bytes at 0 of \d+$|^not an ELF file$/)
})

test('a section may claim anything: only what is read is checked', () => {
  const bytes = madeElf({ symtab: [] })
  bytes.writeBigUInt64LE(2n ** 63n, sectionHeader(1) + fields.section.size)
  expect(readElf(bytesOf(bytes)).sections[1]?.size).toBe(2 ** 63)
})

test('a program cut off anywhere is an error or an ELF, and nothing else', () => {
  const whole = readFileSync('build/programs/arm64/libdemo.so')
  const read: number[] = []
  for (let length = 0; length < whole.length; length += 64) {
    try {
      readElf(bytesOf(whole.subarray(0, length)))
      read.push(length)
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
    }
  }
  // Its section headers are its last bytes.
  expect(read).toEqual([])
})
