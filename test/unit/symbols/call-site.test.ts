import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { bytesOf, openRegular } from '../../../runner/symbols/byte-source.ts'
import { followsCall, isSignalReturn } from '../../../runner/symbols/call-site.ts'
import { type Elf, readElf } from '../../../runner/symbols/elf.ts'

const elfOf = (machine: number): Elf => ({ is64: true, machine, sections: [], segments: [] })
const [arm64, x64, arm] = [elfOf(183), elfOf(62), elfOf(40)]

function after(elf: Elf, hex: string): boolean | undefined {
  // Zeros before it, as padding is on neither architecture a call.
  const bytes = Buffer.concat([Buffer.alloc(16), Buffer.from(hex, 'hex')])
  return followsCall(bytesOf(bytes), elf, bytes.length)
}

function word(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes.toString('hex')
}

test.each([
  ['bl .+4', 0x94000001, true],
  ['bl .-4', 0x97ffffff, true],
  ['blr x0', 0xd63f0000, true],
  ['blr x30', 0xd63f03c0, true],
  ['blraaz x17', 0xd63f0a3f, true],
  ['blrabz x17', 0xd63f0e3f, true],
  ['blraa x17, sp', 0xd73f0a3f, true],
  ['blrab x1, x2', 0xd73f0c22, true],
  ['b .+4', 0x14000001, false],
  ['b.eq .+8', 0x54000040, false],
  ['cbz x0, .+8', 0xb4000040, false],
  ['br x16', 0xd61f0200, false],
  ['braa x16, x17', 0xd71f0a11, false],
  ['ret', 0xd65f03c0, false],
  ['retaa', 0xd65f0bff, false],
  ['svc #0', 0xd4000001, false],
  ['nop', 0xd503201f, false],
])('on arm64 %s', (_, instruction, isCall) => {
  expect(after(arm64, word(instruction))).toBe(isCall)
})

test.each([
  ['call rel32', 'e800010000', true],
  ['call *%rax', 'ffd0', true],
  ['call *%r11', '41ffd3', true],
  ['notrack call *%rdx', '3effd2', true],
  ['call *(%rax)', 'ff10', true],
  ['call *8(%rax)', 'ff5008', true],
  ['call *(%rax,%rbx,8)', 'ff14d8', true],
  ['call *8(%rsp)', 'ff542408', true],
  ['call *0x1000(%rip)', 'ff1500100000', true],
  ['call *0x1000(%rax,%rbx,8)', 'ff94d800100000', true],
  ['jmp rel32', 'e900010000', false],
  ['jmp *%rax', 'ffe0', false],
  ['push %rbp; mov %rsp,%rbp', '554889e5', false],
  ['syscall', '0f05', false],
  ['ret', 'c3', false],
])('on x86_64 %s', (_, hex, isCall) => {
  expect(after(x64, hex)).toBe(isCall)
})

test('another machine is not known', () => {
  expect(after(arm, 'ffffffeb')).toBeUndefined()
})

test.each([
  [arm64, 3],
  [x64, 6],
  [arm64, 100],
  [x64, -1],
  [x64, 2 ** 60],
])('nothing is known of what lies outside the file', (elf, fileOffset) => {
  expect(followsCall(bytesOf(Buffer.alloc(64)), elf, fileOffset)).toBeUndefined()
})

test('trouble with the file itself is not swallowed', () => {
  const broken = {
    size: 64,
    read() {
      throw new Error('EIO')
    },
  }
  expect(() => followsCall(broken, arm64, 32)).toThrow('EIO')
})

test('the trampoline of a signal is known by its first instruction', () => {
  const [inKernelsVdso, inGlibc] = [`${word(0xd2801168)}${word(0xd4000001)}`, '48c7c00f0000000f05']
  const bytes = (hex: string) => bytesOf(Buffer.from(`00000000${hex}00`, 'hex'))
  expect(isSignalReturn(bytes(inKernelsVdso), arm64, 4)).toBe(true)
  expect(isSignalReturn(bytes(inGlibc), x64, 4)).toBe(true)
  expect(isSignalReturn(bytes(inGlibc), x64, 5)).toBe(false)
  expect(isSignalReturn(bytes(inGlibc), arm64, 4)).toBe(false)
  expect(isSignalReturn(bytes(inGlibc), arm, 4)).toBe(false)
  // Another system call.
  expect(isSignalReturn(bytes('48c7c00e0000000f05'), x64, 4)).toBe(false)
})

test.each([-1, 60, 64, 2 ** 60])('at %i of 64 bytes there is no trampoline', (fileOffset) => {
  expect(isSignalReturn(bytesOf(Buffer.alloc(64)), x64, fileOffset)).toBe(false)
})

test("glibc's own is found where its symbol says", () => {
  const path = 'build/programs/x64/static_demo'
  const file = openRegular(path)
  const elf = readElf(file)
  const found = execFileSync('llvm-nm-19', [path], { encoding: 'utf8' }).match(/^([0-9a-f]+) t __restore_rt$/m)
  const address = Number.parseInt(found?.[1] ?? '', 16)
  const code = elf.segments.find((part) => address >= part.address && address < part.address + part.fileSize)
  const fileOffset = address - (code?.address ?? 0) + (code?.offset ?? 0)
  expect(isSignalReturn(file, elf, fileOffset)).toBe(true)
  expect(followsCall(file, elf, fileOffset)).toBe(false)
  file.close()
})

/** What follows an instruction of a disassembled program, and whether that is a call. */
function disassembled(path: string): { address: number; isCall: boolean }[] {
  const flags = ['--disassemble', '--section=.text', '--no-show-raw-insn', '--print-imm-hex']
  const listed = execFileSync('llvm-objdump-19', [...flags, path], { encoding: 'utf8', maxBuffer: 1 << 28 })
  const rows = [...listed.matchAll(/^ *([0-9a-f]+): *\t(.*)$/gm)].map(([, address = '', text = '']) => {
    return { address: Number.parseInt(address, 16), isCall: /^(notrack )?(call|bl)q?r?(aa|ab)?z?\t/.test(text) }
  })
  return rows.slice(1).map(({ address }, index) => ({ address, isCall: rows[index]?.isCall === true }))
}

test.each(['arm64', 'x64'])('of a whole program for %s every call is known', (arch) => {
  const path = `build/programs/${arch}/static_demo`
  const file = openRegular(path)
  const elf = readElf(file)
  // .text is the section of code that the disassembly begins in.
  const rows = disassembled(path)
  const text = elf.sections.find(
    ({ address, size }) => address <= (rows[0]?.address ?? 0) && (rows[0]?.address ?? 0) < address + size,
  )
  const toFile = (text?.offset ?? 0) - (text?.address ?? 0)
  const wrong = { missed: 0, invented: 0, calls: 0 }
  for (const { address, isCall } of rows) {
    const answer = followsCall(file, elf, address + toFile)
    if (isCall) wrong.calls++
    if (isCall && answer !== true) wrong.missed++
    if (!isCall && answer !== false) wrong.invented++
  }
  file.close()
  expect(wrong.calls).toBeGreaterThan(3000)
  expect(wrong.missed).toBe(0)
  // x86 has no fixed places for instructions: what looks like a call may be part of another.
  expect(wrong.invented / rows.length).toBeLessThanOrEqual(arch === 'arm64' ? 0 : 0.02)
})
