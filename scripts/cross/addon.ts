import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { step } from '../setup/step.ts'
import type { Arch } from './arch.ts'
import { nodeDir } from './node-headers.ts'
import { tool, toolVersion } from './tool.ts'
import { keyOf } from './unpack.ts'
import { upstreams } from './upstream.ts'

/** Where node-gyp leaves the addon, before the gate has seen it. */
export function builtAddon(arch: Arch): string {
  return join('build', arch.name, 'build/Release/fpstack.node')
}

/** Compiles libbpf, libelf, zlib and native/ into one shared object; make sees to what is due. */
export async function buildAddon(arch: Arch): Promise<void> {
  const gcc = `${arch.gnu}gcc`
  const nodedir = nodeDir()
  const key = [await toolVersion(gcc), nodedir, process.version, ...upstreams.map(keyOf)].join(' ')
  await step({ name: `addon ${arch.name}`, inputs: ['native'], key, outputs: [builtAddon(arch)] }, async () => {
    const folder = join('build', arch.name)
    startAfresh(join(folder, 'build'), key)
    // node-gyp builds beside binding.gyp, and each architecture needs a folder of its own
    const gyp = join(folder, 'binding.gyp')
    rmSync(gyp, { force: true })
    symlinkSync('../../native/binding.gyp', gyp)
    const options = [`--directory=${folder}`, `--nodedir=${nodedir}`, `--arch=${arch.name}`, '--jobs=2', '--release']
    const env = { CC: gcc, CXX: gcc, LINK: gcc, AR: `${arch.gnu}ar` }
    await tool(['node', 'node_modules/node-gyp/bin/node-gyp.js', 'configure', 'build', ...options], env)
  })
}

/** make compares times alone: with another compiler or other sources, what it has compiled is of no use. */
function startAfresh(folder: string, key: string): void {
  const keyFile = join(folder, 'key')
  if (existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(keyFile, key)
}
