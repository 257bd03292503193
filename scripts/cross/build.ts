/** `npm run build`: dist/linux-arm64 and dist/linux-x64, each all that a board needs. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { locked } from '../setup/lock.ts'
import { buildAddon, builtAddon } from './addon.ts'
import { type Arch, arches } from './arch.ts'
import { bpfObjectName, bpfSources, buildBpf } from './bpf.ts'
import { buildBundle, bundlePath } from './bundle.ts'
import { checkDist, distDir, place } from './dist.ts'
import { passGate } from './gate.ts'
import { noticePath, writeNotice } from './notice.ts'
import { linkHeaders, unpackSource } from './unpack.ts'
import { upstreams } from './upstream.ts'
import { makeVmlinux } from './vmlinux.ts'

export async function build(): Promise<void> {
  await locked('build', async () => {
    for (const upstream of upstreams) await unpackSource(upstream)
    await linkHeaders()
    await buildBundle()
    await writeNotice()
    for (const arch of arches) await buildFor(arch)
  })
}

async function buildFor(arch: Arch): Promise<void> {
  const dist = distDir(arch)
  await buildAddon(arch)
  await passGate(builtAddon(arch), join(dist, 'fpstack.node'), arch)
  await makeVmlinux(arch)
  for (const source of bpfSources()) await buildBpf(source, arch, dist)
  await place(bundlePath, join(dist, 'fpstack.cjs'))
  await place(noticePath, join(dist, 'NOTICE'))
  checkDist(arch, ['NOTICE', 'fpstack.cjs', 'fpstack.node', ...bpfSources().map(bpfObjectName)])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()
