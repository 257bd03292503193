/** `npm run build`: dist/linux-arm64 and dist/linux-x64, each all that a board needs. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildAddon, builtAddon } from './addon.ts'
import { type Arch, arches } from './arch.ts'
import { bpfNames, buildBpf } from './bpf.ts'
import { buildBundle, bundlePath } from './bundle.ts'
import { checkDist, distDir, place } from './dist.ts'
import { linkHeaders, unpackSource } from './unpack.ts'
import { upstreams } from './upstream.ts'
import { makeVmlinux } from './vmlinux.ts'

export async function build(): Promise<void> {
  for (const upstream of upstreams) await unpackSource(upstream)
  await linkHeaders()
  await buildBundle()
  for (const arch of arches) await buildFor(arch)
}

async function buildFor(arch: Arch): Promise<void> {
  const dist = distDir(arch)
  await buildAddon(arch)
  await place(builtAddon(arch), join(dist, 'fpstack.node'))
  await makeVmlinux(arch)
  for (const name of bpfNames()) await buildBpf(name, arch, join(dist, `${name}.bpf.o`))
  await place(bundlePath, join(dist, 'fpstack.cjs'))
  checkDist(arch, ['fpstack.cjs', 'fpstack.node', ...bpfNames().map((name) => `${name}.bpf.o`)])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()
