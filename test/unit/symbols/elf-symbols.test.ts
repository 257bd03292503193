import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bytesOf, openRegular } from '../../../runner/symbols/byte-source.ts'
import { readElf } from '../../../runner/symbols/elf.ts'
import { readSymbols, type SymbolTable } from '../../../runner/symbols/elf-symbols.ts'
import { fields, type MadeElf, type MadeSymbol, madeElf, sectionHeader, text } from './made-elf.ts'

function symbolsOf(bytes: Buffer): SymbolTable {
  const source = bytesOf(bytes)
  return readSymbols(source, readElf(source))
}

/** "name+offset" of each address. */
function told(table: SymbolTable, addresses: readonly number[]): (string | undefined)[] {
  return addresses.map((address) => {
    const found = table.find(address)
    return found && `${found.name}+${found.offset}`
  })
}

function of(symtab: readonly MadeSymbol[], about: MadeElf = {}): SymbolTable {
  return symbolsOf(madeElf({ ...about, symtab }))
}

const at = (offset: number): number => text.address + offset
/** Binding × 16 + type: elf(5). */
const [local, weak, notype, object, ifunc] = [0x02, 0x22, 0x10, 0x11, 0x1a]

test('a symbol reaches as far as its size', () => {
  const table = of([
    { name: 'b', value: at(0x100), size: 0x10 },
    { name: 'a', value: at(0), size: 0x40 },
  ])
  expect(told(table, [at(0), at(0x3f), at(0x40), at(0xff), at(0x100), at(0x10f), at(0x110), at(-1)])).toEqual([
    ...['a+0', 'a+63', undefined, undefined, 'b+0', 'b+15', undefined, undefined],
  ])
})

test('a symbol without a size reaches to what comes next, or to the end of its section', () => {
  const table = of([
    { name: 'sizeless', value: at(0x100), info: notype },
    { name: 'sized', value: at(0x200), size: 0x10 },
    { name: 'last', value: at(0x300) },
  ])
  const end = at(text.size)
  expect(told(table, [at(0x100), at(0x1ff), at(0x20f), at(0x210), at(0x300), end - 1, end])).toEqual([
    ...['sizeless+0', 'sizeless+255', 'sized+15', undefined, 'last+0', `last+${text.size - 0x301}`, undefined],
  ])
})

test('a symbol with a size goes before one without', () => {
  const table = of([
    { name: 'outer', value: at(0), size: 0x100 },
    { name: 'label', value: at(0x10) },
    { name: 'same', value: at(0) },
  ])
  expect(told(table, [at(0), at(0x10), at(0x20)])).toEqual(['outer+0', 'outer+16', 'outer+32'])
})

test('the innermost of nested symbols is told', () => {
  const table = of([
    { name: 'outer', value: at(0), size: 0x1000 },
    { name: 'inner', value: at(0x100), size: 0x10 },
    { name: 'other', value: at(0x200), size: 0x10 },
  ])
  expect(told(table, [at(0x50), at(0x108), at(0x110), at(0x20f), at(0x210)])).toEqual([
    ...['outer+80', 'inner+8', 'outer+272', 'other+15', 'outer+528'],
  ])
})

test.each<[string, readonly MadeSymbol[], string]>([
  [
    'a global one',
    [
      { name: 'aa', value: 0, info: local },
      { name: 'zz', value: 0 },
      { name: 'w', value: 0, info: weak },
    ],
    'zz',
  ],
  [
    'a weak one',
    [
      { name: 'a', value: 0, info: local },
      { name: 'zz', value: 0, info: weak },
    ],
    'zz',
  ],
  [
    'the one with the fewest underscores',
    [
      { name: '__a', value: 0 },
      { name: '_bb', value: 0 },
      { name: 'long_name', value: 0 },
    ],
    'long_name',
  ],
  [
    'the shortest',
    [
      { name: 'open64', value: 0 },
      { name: 'open', value: 0 },
    ],
    'open',
  ],
  [
    'the first of the alphabet',
    [
      { name: 'b', value: 0 },
      { name: 'a', value: 0 },
    ],
    'a',
  ],
])('of aliases %s is told', (_, aliases, name) => {
  const table = of(aliases.map((alias) => ({ ...alias, value: at(0), size: 8 })))
  expect(told(table, [at(4)])).toEqual([`${name}+4`])
  const reversed = of([...aliases].reverse().map((alias) => ({ ...alias, value: at(0), size: 8 })))
  expect(told(reversed, [at(4)])).toEqual([`${name}+4`])
})

test('what is no function of this object names nothing', () => {
  const table = of([
    { name: 'data', value: at(0), size: 8, info: object },
    { name: 'imported', value: at(0x10), size: 8, section: 0 },
    { name: 'absolute', value: at(0x20), size: 8, section: 0xfff1 },
    { name: 'nowhere', value: at(0x30), size: 8, section: 77 },
    { name: '', value: at(0x40), size: 8 },
    { name: '$x', value: at(0x50), info: 0 },
    { name: '$d.5', value: at(0x60), info: 0 },
    { name: 'memcpy', value: at(0x70), size: 8, info: ifunc },
  ])
  expect(told(table, [0, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x74].map(at))).toEqual([
    ...[undefined, undefined, undefined, undefined, undefined, undefined, undefined, 'memcpy+4'],
  ])
})

test('.symtab is read if there is one, else .dynsym', () => {
  const symtab = [{ name: 'static_name', value: at(0), size: 8 }]
  const dynsym = [{ name: 'exported', value: at(0), size: 8 }]
  expect(told(symbolsOf(madeElf({ symtab, dynsym })), [at(0)])).toEqual(['static_name+0'])
  expect(told(symbolsOf(madeElf({ dynsym })), [at(0)])).toEqual(['exported+0'])
  expect(told(symbolsOf(madeElf({})), [at(0)])).toEqual([undefined])
})

test("a Thumb function's lowest bit is no part of its address", () => {
  const symtab = [
    { name: 'thumb', value: at(0x101), size: 0x10 },
    { name: 'high', value: 0x80000001, size: 0x10 },
    { name: 'label', value: at(0x201), info: notype },
  ]
  const EM_ARM = 40
  const table = of(symtab, { is64: false, machine: EM_ARM })
  expect(told(table, [at(0x100), at(0x10f), at(0x110), 0x80000002])).toEqual([
    ...['thumb+0', 'thumb+15', undefined, 'high+2'],
  ])
  // Only where functions may be Thumb, and only functions.
  expect(told(table, [at(0x200), at(0x201)])).toEqual([undefined, 'label+0'])
  expect(told(of(symtab), [at(0x100), at(0x101)])).toEqual([undefined, 'thumb+0'])
})

test('addresses above 32 bits are exact', () => {
  const table = of([{ name: 'far', value: 2 ** 47 + 4, size: 2 ** 33 }])
  expect(told(table, [2 ** 47 + 3, 2 ** 47 + 4, 2 ** 47 + 4 + 2 ** 33 - 1, 2 ** 47 + 4 + 2 ** 33])).toEqual([
    ...[undefined, 'far+0', `far+${2 ** 33 - 1}`, undefined],
  ])
})

test('a name is UTF-8, and ends with the table if nothing else ends it', () => {
  expect(told(of([{ name: 'gr\xc3\xb6\xc3\x9fe', value: at(0), size: 8 }]), [at(0)])).toEqual(['größe+0'])
  const bytes = madeElf({ symtab: [{ name: 'endless', value: at(0), size: 8 }] })
  expect(told(symbolsOf(Buffer.concat([bytes.subarray(0, -1), Buffer.from('s')])), [at(0)])).toEqual(['endlesss+0'])
})

test('a name as long as its table is cut', () => {
  const table = of([{ name: 'x'.repeat(5_000_000), value: at(0), size: 8 }])
  expect(table.find(at(0))?.name).toBe('x'.repeat(4096))
})

const programs = ['arm64', 'x64'].flatMap((arch) =>
  ['static_demo', 'nofp_demo', 'pie_demo', 'stripped_demo', 'libdemo.so', 'libdemo_stripped.so', 'run_as'].map(
    (name) => `build/programs/${arch}/${name}`,
  ),
)

/** About so many addresses of each executable section. */
const samples = 300

function executableAddresses(path: string): number[] {
  const printed = execFileSync('llvm-readelf-19', ['--elf-output-style=JSON', '-S', path], { encoding: 'utf8' })
  interface Printed {
    readonly Sections: readonly {
      readonly Section: { readonly Address: number; readonly Size: number; readonly Flags: { readonly Value: number } }
    }[]
  }
  const [{ Sections }] = JSON.parse(printed) as [Printed]
  const SHF_EXECINSTR = 4
  return Sections.filter(({ Section }) => (Section.Flags.Value & SHF_EXECINSTR) !== 0).flatMap(({ Section }) => {
    const step = Math.max(4, Math.floor(Section.Size / samples))
    return Array.from({ length: Math.ceil(Section.Size / step) }, (_, index) => Section.Address + index * step)
  })
}

interface Witness {
  readonly start: number
  readonly name: string
}

function llvmSymbolizer(path: string, addresses: readonly number[]): (Witness | undefined)[] {
  const flags = ['--no-demangle', '--no-inlines', '--output-style=JSON', `--obj=${path}`]
  const input = addresses.map((address) => `0x${address.toString(16)}\n`).join('')
  const options = { encoding: 'utf8', input, maxBuffer: 1 << 28 } as const
  return execFileSync('llvm-symbolizer-19', flags, options)
    .trim()
    .split('\n')
    .map((line) => {
      interface Answer {
        readonly Symbol?: readonly { readonly FunctionName: string; readonly StartAddress: string }[]
      }
      const [symbol] = (JSON.parse(line) as Answer).Symbol ?? []
      if (symbol === undefined || symbol.FunctionName === '') return undefined
      return { start: Number(symbol.StartAddress), name: symbol.FunctionName }
    })
}

/** "start name" of every symbol, so that any alias will do. */
function namesAndStarts(path: string): Set<string> {
  const tables = [[], ['--dynamic']].map((flag) =>
    execFileSync('llvm-nm-19', ['-P', '-tx', ...flag, path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )
  const rows = tables.flatMap((table) => [...table.matchAll(/^(\S+) \w ([0-9a-f]+)/gm)])
  return new Set(rows.map(([, name, start]) => `${Number.parseInt(start ?? '', 16)} ${name?.replace(/@.*/, '')}`))
}

test.each(programs)('%s is named as LLVM names it', (path) => {
  const file = openRegular(path)
  const table = readSymbols(file, readElf(file))
  const addresses = executableAddresses(path)
  expect(addresses.length).toBeGreaterThan(60)
  const known = namesAndStarts(path)
  let agreed = 0
  for (const [index, witness] of llvmSymbolizer(path, addresses).entries()) {
    const address = addresses[index] ?? 0
    const found = table.find(address)
    // LLVM lets _init, which has no size, reach over the end of its section into .plt.
    if (witness?.name === '_init' && found === undefined) continue
    const start = found && address - found.offset
    expect(start, `0x${address.toString(16)} is in ${witness?.name}`).toBe(witness?.start)
    if (found === undefined) continue
    expect(known).toContain(`${start} ${found.name}`)
    agreed++
  }
  file.close()
  // A program that exports nothing has no name left once it is stripped.
  if (path.endsWith('/stripped_demo')) expect(agreed).toBe(0)
  else expect(agreed).toBeGreaterThan(path.includes('stripped') ? 5 : 40)
})

test('a program cut off anywhere is an error', () => {
  const whole = readFileSync('build/programs/arm64/libdemo.so')
  for (let length = 0; length < whole.length; length += 64)
    expect(() => symbolsOf(whole.subarray(0, length)), `${length} bytes`).toThrow(Error)
  expect(told(symbolsOf(whole), [0x680])).toEqual(['demo_load_configuration+0'])
})

test('a table or its strings cut off in the file are an error', () => {
  const whole = madeElf({ symtab: [{ name: 'a', value: at(0), size: 8 }] })
  for (let length = 0; length < whole.length; length++)
    expect(() => symbolsOf(whole.subarray(0, length)), `${length} bytes`).toThrow(Error)
})

const [symtabHeader, strtabHeader] = [sectionHeader(2), sectionHeader(3)]

test.each<[string, (bytes: Buffer) => void, string | undefined]>([
  ['a table of 4 GiB', (bytes) => size(bytes, symtabHeader, 2n ** 32n), '4294967296 bytes at'],
  ['a table of 2^64 - 1 bytes', (bytes) => size(bytes, symtabHeader, 2n ** 64n - 1n), '18446744073709552000 bytes at'],
  ['strings of 4 GiB', (bytes) => size(bytes, strtabHeader, 2n ** 32n), '4294967296 bytes at'],
  ['a table beyond the file', (bytes) => offset(bytes, symtabHeader, 2n ** 52n), '48 bytes at 4503599627370496'],
  ['strings beyond all numbers', (bytes) => offset(bytes, strtabHeader, 2n ** 63n), 'bytes at 9223372036854776000'],
  ['strings in no section', (bytes) => link(bytes, 4), undefined],
  ['strings in section 4294967295', (bytes) => link(bytes, 0xffffffff), undefined],
  ['strings that are empty', (bytes) => size(bytes, strtabHeader, 0n), undefined],
  ['a table shorter than an entry', (bytes) => size(bytes, symtabHeader, 23n), undefined],
])('%s', (_, falsify, message) => {
  const bytes = madeElf({ symtab: [{ name: 'a', value: at(0), size: 8 }] })
  falsify(bytes)
  if (message === undefined) expect(symbolsOf(bytes).find(at(0))).toBeUndefined()
  else expect(() => symbolsOf(bytes)).toThrow(message)
})

function size(bytes: Buffer, header: number, value: bigint): void {
  bytes.writeBigUInt64LE(value, header + fields.section.size)
}
function offset(bytes: Buffer, header: number, value: bigint): void {
  bytes.writeBigUInt64LE(value, header + fields.section.offset)
}
function link(bytes: Buffer, value: number): void {
  bytes.writeUInt32LE(value, symtabHeader + fields.section.link)
}

test('a table that is its own strings, or overlaps the headers, names something or nothing', () => {
  const bytes = madeElf({ symtab: [{ name: 'a', value: at(0), size: 8 }] })
  link(bytes, 2)
  offset(bytes, symtabHeader, 0n)
  expect(() => told(symbolsOf(bytes), [0, at(0), 2 ** 40])).not.toThrow()
})

test('whatever bits are turned, it is an error or a table', () => {
  const whole = madeElf({
    symtab: Array.from({ length: 20 }, (_, index) => ({
      name: `f${index}`,
      value: at(16 * index),
      size: index % 3 ? 16 : 0,
    })),
  })
  let seed = 1
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  let errors = 0
  const senseless: number[] = []
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(whole)
    for (let turn = 0; turn <= random(4); turn++) {
      const byte = random(bytes.length)
      bytes.writeUInt8((bytes[byte] ?? 0) ^ (1 << random(8)), byte)
    }
    try {
      const table = symbolsOf(bytes)
      const found = Array.from({ length: 64 }, (_, index) => table.find(at(5 * index)))
      if (found.some((symbol) => symbol !== undefined && (symbol.name === '' || symbol.offset < 0)))
        senseless.push(round)
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
      expect((error as Error).message).toMatch(
        /bytes at|a table of|of an unknown size|program headers|not an ELF|big-endian/,
      )
      errors++
    }
  }
  expect(senseless).toEqual([])
  expect(errors).toBeGreaterThan(100)
  expect(errors).toBeLessThan(4900)
})

/** Where every symbol covers every address, a search that looks at all of them takes minutes here. */
test.each([
  ['sized symbols that all overlap', 2 ** 40, (index: number) => at(index % 0x10000)],
  ['aliases', 0x1000, () => at(0)],
  ['aliases without a size', 0, () => at(0)],
])(
  'a table of 200,000 %s is searched in few steps',
  (_, symbolSize, value) => {
    const symtab = Array.from({ length: 200_000 }, (__, index) => ({
      name: `f${index}`,
      value: value(index),
      size: symbolSize,
    }))
    const table = of(symtab)
    const began = performance.now()
    for (let round = 0; round < 10_000; round++) expect(table.find(at(round & 0xfff))).toBeDefined()
    expect(performance.now() - began).toBeLessThan(5000)
  },
  20_000,
)

test('a short symbol behind very many long dead ones is found, one hidden too deep is not', () => {
  const covered = (depth: number) => [
    { name: 'giant', value: at(0), size: 0x10000 },
    ...Array.from({ length: depth }, (_, index) => ({ name: `dead${index}`, value: at(0x100 + index), size: 1 })),
  ]
  expect(told(of(covered(63)), [at(0x8000)])).toEqual(['giant+32768'])
  expect(told(of(covered(64)), [at(0x8000)])).toEqual([undefined])
})
