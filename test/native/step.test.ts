import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StepError, step } from '../../scripts/setup/step.ts'

let folder = ''
const home = process.cwd()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpstack-step-'))
  process.chdir(folder)
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true })
  vi.restoreAllMocks()
})

/** Compiles one.c, which includes one.h and both.h, or two.c likewise; answers which of the two ran. */
async function compileBoth(): Promise<string[]> {
  const ran: string[] = []
  for (const name of ['one', 'two']) {
    const [source, output, depfile] = [`${name}.c`, `${name}.o`, `${name}.d`]
    await step({ name, inputs: [source], depfile, outputs: [output] }, async () => {
      ran.push(name)
      execFileSync('gcc', ['-c', source, '-o', output, '-MMD', '-MF', depfile], { stdio: 'ignore' })
    })
  }
  return ran
}

function writeSources(): void {
  for (const name of ['one', 'two']) {
    writeFileSync(`${name}.c`, `#include "${name}.h"\n#include "both.h"\n`)
    writeFileSync(`${name}.h`, '')
  }
  writeFileSync('both.h', '')
}

test('a changed header runs what includes it, and only that', async () => {
  writeSources()
  expect(await compileBoth()).toEqual(['one', 'two'])
  expect(await compileBoth()).toEqual([])
  writeFileSync('one.h', 'int one;\n')
  expect(await compileBoth()).toEqual(['one'])
  writeFileSync('both.h', 'int both;\n')
  expect(await compileBoth()).toEqual(['one', 'two'])
  writeFileSync('two.c', '#include "both.h"\n')
  expect(await compileBoth()).toEqual(['two'])
  writeFileSync('two.h', 'int two;\n')
  expect(await compileBoth()).toEqual([])
})

test('a header that is gone makes its step due, which may then fail and stays due', async () => {
  writeSources()
  await compileBoth()
  rmSync('two.h')
  await expect(compileBoth()).rejects.toThrow()
  await expect(compileBoth()).rejects.toThrow()
  writeFileSync('two.h', '')
  expect(await compileBoth()).toEqual(['two'])
})

test('an output that is gone, or never came', async () => {
  writeSources()
  await compileBoth()
  rmSync('one.o')
  expect(await compileBoth()).toEqual(['one'])
  const idle = step({ name: 'idle', inputs: [], outputs: ['nothing'] }, async () => {})
  await expect(idle).rejects.toThrow(new StepError('idle: ended without making nothing'))
})
