import { join } from 'node:path'
import type { Arch } from '../../scripts/cross/arch.ts'
import { findPackage, type Package, packageNames, unpackPackage } from '../../scripts/setup/apt.ts'
import { StepError } from '../../scripts/setup/step.ts'
import { type KernelName, kernels } from './index.ts'
import { modulesInOrder } from './modules.ts'
import type { TestKernel } from './test-kernel.ts'
import { versionOrder } from './version-order.ts'

export interface FetchedKernel {
  /** What uname -r says on it. */
  readonly release: string
  readonly image: string
  /** Module files in the order they have to be loaded. */
  readonly modules: readonly string[]
}

export async function fetchKernel(name: KernelName, arch: Arch): Promise<FetchedKernel> {
  const row: TestKernel = kernels[name]
  if (!row.arches.includes(arch.debian)) throw new RangeError(`kernel ${name}: there is none for ${arch.name}`)
  const { release, held } = await newest(row, arch)
  const folder = await unpackPackage(held)
  return {
    release,
    image: join(folder, row.image.replace('RELEASE', release)),
    modules: modulesInOrder(join(folder, 'lib/modules', release), row.modules),
  }
}

/** The index holds several releases of a series side by side, some of them of another suite. */
async function newest(row: TestKernel, arch: Arch): Promise<{ release: string; held: Package }> {
  const [before = '', after = ''] = row.package.split('RELEASE')
  const ending = `-${row.flavour}-${arch.debian}`
  const releases = (await packageNames(`${before}${row.series}`))
    .filter((name) => name.endsWith(`${ending}${after}`))
    .map((name) => name.slice(before.length, name.length - after.length))
    .filter((release) => /^\d/.test(release))
    .sort(versionOrder)
    .reverse()
  for (const release of releases) {
    const held = await findPackage(`${before}${release}${after}`, arch.debian, row.suite)
    if (held !== undefined) return { release, held }
  }
  throw new StepError(`no package ${before}${row.series}*${ending}${after} in Debian ${row.suite}`)
}
