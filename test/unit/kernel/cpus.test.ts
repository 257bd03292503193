import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { onlineCpus } from '../../../runner/kernel/cpus.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpstack-cpus-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  ['0\n', [0]],
  ['0-3\n', [0, 1, 2, 3]],
  ['0-1,4\n', [0, 1, 4]],
  ['1,3-5,10-11,250\n', [1, 3, 4, 5, 10, 11, 250]],
])('%j', (list, wanted) => {
  const path = join(folder, 'online')
  writeFileSync(path, list)
  expect(onlineCpus(path)).toEqual(wanted)
})

test("this machine's own are those Node counts", () => {
  expect(onlineCpus()).toHaveLength(cpus().length)
})
