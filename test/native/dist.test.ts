import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { archOf } from '../../scripts/cross/arch.ts'
import { checkDist, distDir } from '../../scripts/cross/dist.ts'

const arm64 = archOf('arm64')
const home = process.cwd()
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpstack-dist-'))
  process.chdir(folder)
  mkdirSync(distDir(arm64), { recursive: true })
})
afterEach(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true })
})

test('a million bytes pass, one more does not, and the message says what is big', () => {
  writeFileSync(join(distDir(arm64), 'big'), Buffer.alloc(999_000))
  writeFileSync(join(distDir(arm64), 'small'), Buffer.alloc(1000))
  checkDist(arm64, ['big', 'small'])
  writeFileSync(join(distDir(arm64), 'small'), Buffer.alloc(1001))
  expect(() => checkDist(arm64, ['big', 'small'])).toThrow(
    /1000001 bytes, 1000000 allowed:\n +999000 big\n +1001 small/,
  )
})

test('what an earlier build left goes', () => {
  for (const name of ['kept', 'old.bpf.o']) writeFileSync(join(distDir(arm64), name), '')
  checkDist(arm64, ['kept'])
  expect(readdirSync(distDir(arm64))).toEqual(['kept'])
})
