import { closeSync, existsSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Arch } from '../scripts/cross/arch.ts'
import { findPackage, type Package, unpackPackage } from '../scripts/setup/apt.ts'
import { cacheDir } from '../scripts/setup/cache.ts'
import { locked } from '../scripts/setup/lock.ts'
import { StepError, timed } from '../scripts/setup/step.ts'
import { boardNodes, type NodeLine } from './board-nodes.ts'
import { type Entry, writeArchive } from './cpio.ts'
import { fetchNode } from './fetch-node.ts'

/** What Node's binaries link to, with the packages that hold it. */
const libraries = {
  libc6: ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1'],
  'libstdc++6': ['libstdc++.so.6'],
  'libgcc-s1': ['libgcc_s.so.1'],
  libatomic1: ['libatomic.so.1'],
} as const
const loaders = { arm64: 'ld-linux-aarch64.so.1', x64: 'ld-linux-x86-64.so.2' } as const
const triplets = { arm64: 'aarch64-linux-gnu', x64: 'x86_64-linux-gnu' } as const
const suite = 'trixie'

/** The board's system without anything of ours: written once for each set of versions, then kept. */
export async function baseImage(arch: Arch, line: NodeLine): Promise<string> {
  const packages = await Promise.all(['busybox-static', ...Object.keys(libraries)].map((name) => newest(name, arch)))
  const versions = packages.map(({ version }) => version.replaceAll(/[^\w.+~-]/g, '_'))
  const kind = `${arch.name}-node${line}.`
  const name = `${arch.name}-node${boardNodes[line].version}-${versions.join('-')}.cpio`
  const folder = cacheDir('boards')
  const image = join(folder, name)
  if (existsSync(image)) return image
  await locked(`base image for ${arch.name}`, async () => {
    if (existsSync(image)) return
    const node = await fetchNode(line, arch)
    const folders = await Promise.all(packages.map(unpackPackage))
    await timed(`base image for ${arch.name}, Node ${boardNodes[line].version}`, async () => {
      const part = `${image}.part`
      const file = openSync(part, 'w')
      writeArchive(file, [...skeleton(), ...system(arch, folders), program('usr/bin/node', node)])
      closeSync(file)
      renameSync(part, image)
    })
    // 100 MB each: what newer packages have replaced goes.
    const old = readdirSync(folder).filter((file) => file.startsWith(kind) && file !== name)
    for (const file of old) rmSync(join(folder, file))
  })
  return image
}

async function newest(name: string, arch: Arch): Promise<Package> {
  const found = await findPackage(name, arch.debian, suite)
  if (found === undefined) throw new StepError(`no package ${name} for ${arch.debian} in Debian ${suite}`)
  return found
}

/** Debian's shape: /bin, /lib and /sbin are in /usr. */
function skeleton(): Entry[] {
  const folders = ['dev', 'proc', 'sys', 'run', 'root', 'home', 'etc', 'var', 'opt', 'usr', 'usr/bin', 'usr/sbin']
  const links = ['bin', 'sbin', 'lib', 'lib64']
  return [
    { kind: 'folder', path: '.', mode: 0o755 },
    ...folders.map((path): Entry => ({ kind: 'folder', path, mode: 0o755 })),
    ...['usr/lib', 'usr/lib64'].map((path): Entry => ({ kind: 'folder', path, mode: 0o755 })),
    ...links.map((path): Entry => ({ kind: 'link', path, mode: 0o777, target: `usr/${path}` })),
    { kind: 'folder', path: 'tmp', mode: 0o1777 },
    // The kernel opens it for process 1 before devtmpfs can be mounted.
    { kind: 'character device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
  ]
}

function system(arch: Arch, folders: readonly string[]): Entry[] {
  const [busybox = '', ...rest] = folders
  const triplet = triplets[arch.name]
  const loader = loaders[arch.name]
  const home = `usr/lib/${triplet}`
  const held = new Map(
    rest.flatMap((folder) => readdirSync(join(folder, home)).map((name) => [name, join(folder, home, name)] as const)),
  )
  const library = (name: string): Entry => {
    const path = held.get(name)
    if (path === undefined) throw new StepError(`none of ${Object.keys(libraries).join(', ')} holds ${name}`)
    return program(`${home}/${name}`, path)
  }
  return [
    program('usr/bin/busybox', join(busybox, 'usr/bin/busybox')),
    { kind: 'folder', path: home, mode: 0o755 },
    ...[loader, ...Object.values(libraries).flat()].map(library),
    {
      kind: 'link',
      path: arch.name === 'x64' ? `usr/lib64/${loader}` : `usr/lib/${loader}`,
      mode: 0o777,
      target: `/${home}/${loader}`,
    },
  ]
}

function program(path: string, from: string): Entry {
  return { kind: 'file', path, mode: 0o755, bytes: readFileSync(from) }
}
