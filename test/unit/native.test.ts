import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { arch, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadAddon } from '../../runner/native.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpstack-native-'))
  path = join(folder, 'fpstack.node')
})
afterEach(() => rmSync(folder, { recursive: true }))

const failed = (message: string) => expect.objectContaining({ code: 'failure', message })

function headOfElf(machine: number): Buffer {
  const head = Buffer.alloc(64)
  head.write('\x7fELF\x02\x01\x01', 'latin1')
  head.writeUInt16LE(machine, 18)
  return head
}

test('the addon that was built for this machine loads, and answers', () => {
  expect(loadAddon(resolve(`dist/linux-${arch()}`)).libbpfVersion()).toMatch(/^\d+\.\d+$/)
})

test('an addon that is not there', () => {
  expect(() => loadAddon(folder)).toThrow(
    failed(`load ${path}: it is not beside fpstack.cjs; copy the whole folder, not the .cjs alone`),
  )
})

test('an addon below what is no folder', () => {
  writeFileSync(path, '')
  expect(() => loadAddon(path)).toThrow(
    failed(`load ${path}/fpstack.node: ENOTDIR: not a directory; copy the whole folder, not the .cjs alone`),
  )
})

test.each(['', 'text that is long enough', '\x7fELF'])('%j is no addon', (content) => {
  writeFileSync(path, content)
  expect(() => loadAddon(folder)).toThrow(failed(`load ${path}: not an ELF file; copy the folder again`))
})

const other = arch() === 'arm64' ? { arch: 'x64', machine: 'x86_64' } : { arch: 'arm64', machine: 'aarch64' }

test("the other architecture's addon is told by name, and where the right one is", () => {
  symlinkSync(resolve(`dist/linux-${other.arch}/fpstack.node`), path)
  expect(() => loadAddon(folder)).toThrow(
    failed(`load ${path}: built for ${other.machine}, this Node is ${arch()}; copy dist/linux-${arch()} instead`),
  )
})

test.each([
  [40, '32-bit ARM'],
  [243, 'machine 243'],
])('so is that of machine %i', (machine, name) => {
  writeFileSync(path, headOfElf(machine))
  expect(() => loadAddon(folder)).toThrow(
    failed(`load ${path}: built for ${name}, this Node is ${arch()}; copy dist/linux-${arch()} instead`),
  )
})

test('what the dynamic linker refuses is given in its words', () => {
  writeFileSync(path, headOfElf(arch() === 'arm64' ? 183 : 62))
  expect(() => loadAddon(folder)).toThrow(
    expect.objectContaining({
      code: 'failure',
      message: expect.stringMatching(/^load \S+: .+; copy the whole folder that was built for this board$/),
    }),
  )
})
