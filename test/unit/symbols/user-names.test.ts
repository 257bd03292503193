import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { readMappings } from '../../../runner/symbols/proc-maps.ts'
import { UserNames } from '../../../runner/symbols/user-names.ts'
import type { Frame, Mapping, Sample } from '../../../runner/types.ts'
import { madeSample } from '../made-samples.ts'
import { madeElf, text } from './made-elf.ts'
import { fileOffsetOf, mappingOf, programFolder, returnInto, startProgram } from './running-program.ts'

const program = join(programFolder, 'pie_demo')
const library = join(programFolder, 'libdemo.so')
let child: Awaited<ReturnType<typeof startProgram>>
beforeAll(async () => {
  child = await startProgram(program)
})
afterAll(() => {
  child.kill('SIGKILL')
})

const folder = mkdtempSync(join(tmpdir(), 'fpstack-names-'))
afterAll(() => rmSync(folder, { recursive: true }))

const names = new UserNames()
afterEach(() => names.close())

function observe(...samples: Sample[]): void {
  names.observe({ processes: [], samples, behind: false })
}

function addressOf(mapping: Mapping, fileOffset: number): bigint {
  return mapping.start - mapping.offset + BigInt(fileOffset)
}

const load = fileOffsetOf(library, 'demo_load_configuration')
const returns = [
  returnInto(program, 'demo_handle_request', 'demo_load_configuration'),
  returnInto(program, 'demo_serve_requests', 'demo_handle_request'),
  returnInto(program, 'main', 'demo_serve_requests'),
]

/** The chain of demo.h, as a walk of frame pointers from demo_load_configuration finds it. */
function chain(pid = child.pid): bigint[] {
  const [inProgram, inLibrary] = [mappingOf(pid, '/pie_demo'), mappingOf(pid, '/libdemo.so')]
  return [addressOf(inLibrary, load + 4), ...returns.map((offset) => addressOf(inProgram, offset))]
}

function told(frames: readonly Frame[]): string[] {
  return frames.map(({ symbol, object, address }) =>
    symbol === undefined ? `0x${address.toString(16)}` : `${symbol} ${object}`,
  )
}

const wholeChain = [
  `demo_load_configuration ${resolve(library)}`,
  ...['demo_handle_request', 'demo_serve_requests', 'main'].map((name) => `${name} ${resolve(program)}`),
]

test('the frames of another process are named', () => {
  const sample = madeSample({ tgid: child.pid, user: chain() })
  observe(sample)
  const { frames, stray } = names.name(sample)
  expect(told(frames)).toEqual(wholeChain)
  expect(stray).toBe(false)
  expect(frames[0]?.offset).toBe(4n)
  // From the start of the function to behind the call, as a debugger tells it.
  expect(frames[1]?.offset).toBe(BigInt((returns[0] ?? 0) - fileOffsetOf(program, 'demo_handle_request')))
})

test('they are named when the process is gone, if it was there when they came', async () => {
  const short = await startProgram(program)
  onTestFinished(() => void short.kill('SIGKILL'))
  const sample = madeSample({ tgid: short.pid, user: chain(short.pid) })
  observe(sample)
  short.kill('SIGKILL')
  await once(short, 'exit')
  expect(told(names.name({ ...sample, weight: 5 }).frames)).toEqual(wholeChain)
})

test('of a process that was gone already the addresses stay, all of them', async () => {
  const gone = spawn('true')
  await once(gone, 'exit')
  const sample = madeSample({ tgid: gone.pid ?? 0, user: [0xaaaa00001000n, 0xaaaa00002000n, 0x10n] })
  observe(sample)
  expect(names.name(sample)).toEqual({
    frames: sample.user.map((address) => ({ address, side: 'user' })),
    stray: false,
  })
})

test('what was never looked at keeps its addresses', () => {
  const sample = madeSample({ tgid: child.pid, user: chain() })
  expect(names.name(sample)).toEqual({
    frames: sample.user.map((address) => ({ address, side: 'user' })),
    stray: false,
  })
})

test.each([
  ['nothing', () => 0x10n],
  ['no code at all', () => 0x7000_0000_0000n],
  ['beyond all memory', () => 0xffff_ffff_ffff_fff0n],
  ['code that no call returns to', () => (chain()[1] ?? 0n) - 4n],
])('a walk that leads to %s ends there, and says so', (_, stray) => {
  const sample = madeSample({ tgid: child.pid, user: [...chain().slice(0, 2), stray(), ...chain().slice(2)] })
  observe(sample)
  expect(names.name(sample)).toEqual({ frames: expect.objectContaining({ length: 2 }), stray: true })
})

test('the innermost address may be anything: it is where the process was, not where a call returns to', () => {
  const sample = madeSample({ tgid: child.pid, user: [0x10n, ...chain().slice(1)] })
  observe(sample)
  expect(told(names.name(sample).frames)).toEqual(['0x10', ...wholeChain.slice(1)])
})

/** A program of hand-written code, mapped by a process that the sideband told of; on whatever machine this runs. */
function mapped(machine: number, code: string): { tgid: number; at(offset: number): bigint } {
  const symtab = ['handler', 'padding', 'trampoline', 'interrupted', 'caller'].map((name, index) => {
    return { name, value: text.address + index * 16, size: 16 }
  })
  const tables = madeElf({ machine, symtab })
  // .text is what follows the tables: the whole file is mapped to where the first symbol is.
  const loads = [{ offset: 0, address: text.address - tables.length, fileSize: tables.length + code.length / 2 }]
  const path = join(folder, `machine-${machine}`)
  writeFileSync(path, Buffer.concat([madeElf({ machine, symtab, loads }), Buffer.from(code, 'hex')]))
  const { ino: inode } = statSync(path, { bigint: true })
  const mapping = { start: 0x400000n, end: 0x500000n, offset: 0n, device: 'fe:01', inode, path }
  const tgid = 5_000_000 + machine
  const processes = [{ kind: 'exec', time: 0n, tgid } as const, { kind: 'map', time: 0n, tgid, mapping } as const]
  names.observe({ processes, samples: [], behind: false })
  return { tgid, at: (offset) => mapping.start + BigInt(tables.length + offset) }
}

const padded = (hex: string) => hex.padEnd(32, '0')

/** Of a handler, 16 bytes in between, the trampoline, what was interrupted, and a function that ends in a call. */
const signalled: [string, number, string, number][] = [
  ['arm64', 183, `${padded('')}${padded('')}${padded('681180d2010000d4')}${padded('')}${padded('00000094')}`, 4],
  ['x64', 62, `${padded('')}${padded('')}${padded('48c7c00f0000000f05')}${padded('')}${padded('e800000000')}`, 5],
]

test.each(signalled)(
  'on %s a signal may have interrupted anywhere, and its trampoline is named',
  (_, machine, code, call) => {
    const { tgid, at } = mapped(machine, code)
    const [handler, trampoline, interrupted, caller] = [at(0), at(32), at(56), at(64 + call)]
    const sample = madeSample({ tgid, user: [handler, trampoline, interrupted, caller] })
    const doubted = madeSample({ tgid, user: [handler, interrupted, caller] })
    observe(sample, doubted)
    const { frames, stray } = names.name(sample)
    expect(frames.map(({ symbol, offset }) => `${symbol}+${offset}`)).toEqual([
      ...['handler+0', 'trampoline+0', 'interrupted+8', `caller+${call}`],
    ])
    expect(stray).toBe(false)
    expect(names.name(doubted)).toMatchObject({ frames: [{ symbol: 'handler' }], stray: true })
  },
)

test('an object without names has offsets into its file', () => {
  const mapping = mappingOf(process.pid, process.execPath)
  // The ELF header, which is mapped with the code or before it, is in no function.
  const address = mapping.start
  const sample = madeSample({ tgid: process.pid, user: [address] })
  observe(sample)
  expect(names.name(sample).frames).toEqual([
    expect.objectContaining({ address, side: 'user', object: process.execPath }),
  ])
})

test('a function of our own C library is found', () => {
  const libc = mappingOf(process.pid, '/libc.so.6')
  const sample = madeSample({
    tgid: process.pid,
    user: [addressOf(libc, fileOffsetOf(libc.path, 'getppid'))],
  })
  observe(sample)
  expect(names.name(sample).frames).toMatchObject([{ symbol: 'getppid', offset: 0n, object: libc.path }])
})

test('anonymous code is told as such, and is not doubted', () => {
  const jit = readMappings(process.pid)?.find(({ path }) => path === '')
  if (jit === undefined) throw new Error('this Node compiles nothing')
  const sample = madeSample({ tgid: process.pid, user: [jit.start + 16n, jit.start + 32n] })
  observe(sample)
  expect(names.name(sample)).toEqual({
    frames: [
      { address: jit.start + 16n, side: 'user', object: '[anonymous]', offset: 16n },
      { address: jit.start + 32n, side: 'user', object: '[anonymous]', offset: 32n },
    ],
    stray: false,
  })
  expect(names.troubles()).toEqual(new Map())
})

test('a stack without user frames is none', () => {
  const sample = madeSample({ tgid: child.pid })
  observe(sample)
  expect(names.name(sample)).toEqual({ frames: [], stray: false })
})
