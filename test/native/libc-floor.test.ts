import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Arch, arches } from '../../scripts/cross/arch.ts'
import { readElf } from '../../scripts/cross/elf.ts'
import { allowedSymbols } from '../../scripts/cross/gate.ts'
import { findPackage, unpackPackage } from '../../scripts/setup/apt.ts'

/** Names the C library has to bring; Node itself brings the others. */
const ofLibc = allowedSymbols().filter((name) => !/^(napi|uv)_/.test(name))

/** [major, minor] of each name's oldest version in a glibc, as readelf tells "name@VERSION". */
async function oldestVersions(arch: Arch): Promise<Map<string, number>> {
  const library = await found('libc6', arch)
  const folder = await unpackPackage(library)
  const triplet = arch.name === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  const text = execFileSync('readelf', ['-W', '--dyn-syms', join(folder, 'usr/lib', triplet, 'libc.so.6')], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  const oldest = new Map<string, number>()
  for (const [, name = '', minor] of text.matchAll(/ (\w+)@@?GLIBC_2\.(\d+)/g))
    oldest.set(name, Math.min(oldest.get(name) ?? Infinity, Number(minor)))
  return oldest
}

async function found(name: string, arch: Arch) {
  const held = await findPackage(name, arch.debian, 'trixie')
  if (held === undefined) throw new Error(`trixie has no ${name} for ${arch.debian}`)
  return held
}

describe.each(arches)('$name', (arch) => {
  test('glibc 2.17 had every allowed symbol', async () => {
    const oldest = await oldestVersions(arch)
    expect(oldest.size).toBeGreaterThan(1000)
    expect(ofLibc.filter((name) => (oldest.get(name) ?? Infinity) > 17)).toEqual([])
  })

  test('musl has every allowed symbol', async () => {
    const folder = await unpackPackage(await found('musl', arch))
    const machine = arch.name === 'arm64' ? 'aarch64' : 'x86_64'
    const elf = readElf(readFileSync(join(folder, `usr/lib/${machine}-linux-musl/libc.so`)))
    const defined = new Set(elf.symbols.filter((symbol) => symbol.isDefined).map(({ name }) => name))
    expect(ofLibc.filter((name) => !defined.has(name))).toEqual([])
  })
})
