import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ignores, inForeground } from '../../../runner/kernel/own-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpstack-own-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(text: string): string {
  const path = join(folder, 'file')
  writeFileSync(path, text)
  return path
}

test.each([
  ['77 (node) S 1 77 70 34816 77 4194304 0', true],
  ['77 (a) b) S 1 77 70 34816 77 4194304 0', true],
  ['77 (node) S 1 77 70 34816 70 4194304 0', false],
  ['77 (node) S 1 77 70 0 -1 4194304 0', false],
  ['', false],
])('%j is in the foreground: %s', (stat, expected) => {
  expect(inForeground(file(stat))).toBe(expected)
})

test('a signal that was ignored from the start', () => {
  const status = file('Name:\tnode\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000004002\n')
  expect([1, 2, 13, 15].map((signal) => ignores(signal, status))).toEqual([true, false, true, false])
  expect(ignores(1, join(folder, 'absent'))).toBe(false)
})
