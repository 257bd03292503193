import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { violations } from './import-rule.ts'

const paths = readdirSync('runner', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
const real = new Map(paths.map((path) => [path, readFileSync(`runner/${path}`, 'utf8')]))

test('every stage of runner/ imports only earlier ones', () => {
  expect(real.size).toBeGreaterThan(40)
  expect(violations(real)).toEqual([])
})

/** The rule's own test: each of these breaks it once, planted among the real files. */
test.each<[string, string, string[]]>([
  [
    'plan/a.ts',
    "import { Session } from '../session/session.ts'",
    ['plan/a.ts imports session/session.ts, which does not come before it'],
  ],
  [
    'formats/a.ts',
    "import { fileOutput } from '../output.ts'",
    ['formats/a.ts imports output.ts, which does not come before it'],
  ],
  [
    'sources/a.ts',
    "import type { Mapping } from '../symbols/proc-maps.ts'",
    ['sources/a.ts imports symbols/proc-maps.ts, which does not come before it'],
  ],
  [
    'kernel/a.ts',
    "export * from '../plan/trace-plan.ts'",
    ['kernel/a.ts imports plan/trace-plan.ts, which does not come before it'],
  ],
  [
    'symbols/a.ts',
    "const a = async () => import('../fold.ts')",
    ['symbols/a.ts imports fold.ts, which does not come before it'],
  ],
  [
    'symbols/a.ts',
    "type A = import('../commands/trace.ts').A",
    ['symbols/a.ts imports commands/trace.ts, which does not come before it'],
  ],
  ['commands/a.ts', "import '../main.ts'", ['commands/a.ts imports main.ts, which does not come before it']],
  ['symbols/a.ts', "import type { Addon } from '../native.ts'", ['symbols/a.ts reaches for the addon']],
  ['commands/a.ts', "import { type Addon, loadAddon } from '../native.ts'", ['commands/a.ts reaches for the addon']],
  ['commands/a.ts', "import * as native from '../native.ts'", ['commands/a.ts reaches for the addon']],
  ['fold.ts', 'export const pid = process.pid', ['fold.ts touches process']],
  ['fold.ts', 'export const pid = globalThis.process.pid', ['fold.ts touches process']],
  ['fold.ts', 'export const { pid } = process', ['fold.ts touches process']],
  ['fold.ts', "import { pid } from 'node:process'", ['fold.ts imports process']],
  [
    'errors.ts',
    "export { lastAtOrBelow } from './sorted.ts'",
    ['errors.ts imports sorted.ts, which does not come before it'],
  ],
  ['help/a.ts', '', ['help/a.ts is in no known room']],
  ['plan/a.ts', "import './no-such.ts'", ['plan/a.ts imports plan/no-such.ts, which is not there']],
])('%s may not say: %s', (path, text, broken) => {
  expect(violations(new Map([...real, [path, text]])).filter((line) => line.startsWith(path))).toEqual(broken)
})

test.each([
  ['commands/a.ts', "import { loadAddon } from '../native.ts'"],
  ['session/a.ts', "import type { Addon } from '../native.ts'"],
  ['formats/a.ts', "import { fold } from '../fold.ts'"],
  ['formats/a.ts', "import pico from 'picocolors'"],
  ['formats/a.ts', "import type { Format } from './format.ts'"],
  ['errors.ts', "import type { Frame } from './types.ts'"],
  ['fold.ts', 'export const a = (b: { process: number }) => [b.process, { process: 1 }] // process.pid'],
])('%s may say: %s', (path, text) => {
  const others = [...real].filter(([name]) => name !== path)
  expect(violations(new Map([...others, [path, text]]))).toEqual([])
})

test('a cycle inside a room is found, once', () => {
  const planted = new Map([
    ['plan/a.ts', "import { b } from './b.ts'"],
    ['plan/b.ts', "export { c } from './c.ts'"],
    ['plan/c.ts', "import type { A } from './a.ts'"],
    ['plan/d.ts', "import { c } from './c.ts'"],
  ])
  expect(violations(new Map([...real, ...planted]))).toEqual([
    'plan/a.ts → plan/b.ts → plan/c.ts → plan/a.ts is a cycle',
  ])
})

test('a file that imports itself is a cycle', () => {
  expect(violations(new Map([['plan/a.ts', "import './a.ts'"]]))).toEqual(['plan/a.ts → plan/a.ts is a cycle'])
})
