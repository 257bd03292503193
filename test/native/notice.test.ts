import { readFileSync } from 'node:fs'
import type { Metafile } from 'esbuild'
import { expect, test } from 'vitest'
import { metafilePath } from '../../scripts/cross/bundle.ts'
import { bundledPackages } from '../../scripts/cross/notice.ts'
import { upstreams } from '../../scripts/cross/upstream.ts'

const notice = readFileSync('dist/linux-arm64/NOTICE', 'utf8')

test('names whatever is linked, its licence and its source', () => {
  for (const { linked, version, licence, name } of upstreams) {
    expect(notice).toContain(`${linked} ${version}, linked into fpstack.node\nLicence: ${licence}\n`)
    expect(notice).toContain(`source package ${name} `)
  }
  expect(notice).toContain('GPL-2.0-only OR BSD-2-Clause')
  expect(notice).toContain('GNU LESSER GENERAL PUBLIC LICENSE')
})

test('names whatever package is in the bundle', () => {
  const packages = bundledPackages(JSON.parse(readFileSync(metafilePath, 'utf8')) as Metafile)
  expect(packages.map(({ name }) => name)).toContain('commander')
  for (const { name, version, license } of packages)
    expect(notice).toContain(`${name} ${version}, in fpstack.cjs\nLicence: ${license}\n`)
})

test('a package counts once, by its innermost folder, scoped or not', () => {
  const inputs = ['runner/main.ts', 'node_modules/zx/build/index.js', 'node_modules/zx/build/core.js']
  const scoped = 'node_modules/@biomejs/biome/index.js'
  const outputs = { 'main.js': { inputs: Object.fromEntries([...inputs, scoped].map((path) => [path, {}])) } }
  const names = bundledPackages({ inputs: {}, outputs } as unknown as Metafile).map(({ name }) => name)
  expect(names).toEqual(['@biomejs/biome', 'zx'])
})
