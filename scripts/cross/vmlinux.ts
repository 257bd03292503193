import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findPackage, type Package, packageNames, unpackPackage } from '../setup/apt.ts'
import { StepError, step } from '../setup/step.ts'
import type { Arch } from './arch.ts'
import { btfOfKernelImage } from './kernel-btf.ts'
import { tool } from './tool.ts'

/** The kernel whose types BPF sources see; CO-RE fits the objects to others. */
const base = { suite: 'bookworm', prefix: 'linux-image-6.1.' } as const

/** Folder to include vmlinux.h from. */
export function vmlinuxDir(arch: Arch): string {
  return join('build', arch.name, 'vmlinux')
}

/** Writes vmlinux.h once; a newer 6.1 in Debian does not rewrite it. */
export async function makeVmlinux(arch: Arch): Promise<void> {
  const header = join(vmlinuxDir(arch), 'vmlinux.h')
  await step({ name: `vmlinux.h ${arch.name}`, inputs: [], key: JSON.stringify(base), outputs: [header] }, async () => {
    const folder = await unpackPackage(await newestKernel(arch))
    const boot = join(folder, 'boot')
    const image = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'))
    if (image === undefined) throw new StepError(`${boot}: no vmlinuz`)
    mkdirSync(dirname(header), { recursive: true })
    const btf = join(vmlinuxDir(arch), 'vmlinux.btf')
    writeFileSync(btf, btfOfKernelImage(join(boot, image)))
    writeFileSync(`${header}.part`, await tool(['bpftool', 'btf', 'dump', 'file', btf, 'format', 'c']))
    renameSync(`${header}.part`, header)
  })
}

/** The index may name kernels that the suite no longer holds, so the newest that can be had. */
async function newestKernel(arch: Arch): Promise<Package> {
  const suffix = `-cloud-${arch.debian}-unsigned`
  const names = (await packageNames(base.prefix)).filter((name) => name.endsWith(suffix))
  const abi = (name: string) => name.slice(base.prefix.length, -suffix.length)
  names.sort((a, b) => abi(b).localeCompare(abi(a), 'en', { numeric: true }))
  for (const name of names) {
    const found = await findPackage(name, arch.debian, base.suite)
    if (found !== undefined) return found
  }
  throw new StepError(`${base.suite} has no package ${base.prefix}*${suffix}`)
}
