import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Arch } from '../scripts/cross/arch.ts'
import type { Entry } from './cpio.ts'
import type { FetchedKernel } from './kernels/fetch-kernel.ts'

export interface Overlay {
  readonly arch: Arch
  readonly kernel: FetchedKernel
  readonly agent: string
  /** Folders of the host to appear as /add/NAME. */
  readonly add: readonly string[]
}

/** What of ours lies on the board's system in one run: agent, bundle, test programs, modules. */
export function overlayEntries({ arch, kernel, agent, add }: Overlay): Entry[] {
  const folder = (path: string): Entry => ({ kind: 'folder', path, mode: 0o755 })
  return [
    ...copied('qemu/board', ''),
    { kind: 'file', path: 'usr/sbin/agent', mode: 0o755, bytes: readFileSync(agent) },
    { kind: 'folder', path: 'home/user', mode: 0o777 },
    ...modules(kernel),
    folder('opt/fpstack'),
    ...copied(`dist/linux-${arch.name}`, 'opt/fpstack/'),
    { kind: 'link', path: 'usr/bin/fpstack', mode: 0o777, target: '/opt/fpstack/fpstack.cjs' },
    folder('opt/programs'),
    ...copied(`build/programs/${arch.name}`, 'opt/programs/'),
    folder('add'),
    ...add.flatMap((path) => {
      const below = `add/${basename(resolve(path))}`
      return [folder(below), ...copied(path, `${below}/`)]
    }),
  ]
}

function modules(kernel: FetchedKernel): Entry[] {
  const names = kernel.modules.map((path) => basename(path))
  return [
    { kind: 'folder', path: 'usr/lib/modules', mode: 0o755 },
    { kind: 'file', path: 'usr/lib/modules/load-order', mode: 0o644, bytes: Buffer.from(names.join('\n')) },
    ...kernel.modules.map(
      (path): Entry => ({
        kind: 'file',
        path: `usr/lib/modules/${basename(path)}`,
        mode: 0o644,
        bytes: readFileSync(path),
      }),
    ),
  ]
}

/** A tree of the host as it is; nothing where there is no tree: a bundle need not have been built. */
function copied(root: string, prefix: string): Entry[] {
  if (!existsSync(root)) return []
  return (readdirSync(root, { recursive: true, encoding: 'utf8' }) as string[]).sort().map((path): Entry => {
    const from = join(root, path)
    const about = lstatSync(from)
    const mode = about.mode & 0o7777
    if (about.isDirectory()) return { kind: 'folder', path: prefix + path, mode }
    if (about.isSymbolicLink()) return { kind: 'link', path: prefix + path, mode: 0o777, target: readlinkSync(from) }
    return { kind: 'file', path: prefix + path, mode, bytes: readFileSync(from) }
  })
}
