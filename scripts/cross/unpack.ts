import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'zx'
import { fetchSource } from '../setup/apt.ts'
import { StepError, step } from '../setup/step.ts'
import { suite, type Upstream } from './upstream.ts'

/** Where an upstream's files are once unpackSource has run. */
export function sourceDir(name: Upstream['name']): string {
  return join('build/sources', name)
}

/** Unpacks the pinned tarball and applies the patches that upstream.ts names. */
export async function unpackSource(upstream: Upstream): Promise<void> {
  const folder = sourceDir(upstream.name)
  await step(
    { name: `unpack ${upstream.name} ${upstream.version}`, inputs: [], key: keyOf(upstream), outputs: [folder] },
    async () => {
      const fetched = await fetchSource(upstream.name, suite)
      const part = `${folder}.part`
      rmSync(part, { recursive: true, force: true })
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(part, { recursive: true })
      const tarball = only(fetched, '.orig.tar.')
      check(tarball, upstream.sha256)
      // --touch: make compares times, and what is unpacked anew is newer than what was compiled
      await $({
        quiet: true,
      })`tar --extract --touch --strip-components=1 --no-same-owner --directory=${part} --file=${tarball}`
      if (Object.keys(upstream.patches).length > 0) await patch(upstream, fetched, part)
      renameSync(part, folder)
    },
  )
}

/** Changes whenever the unpacked files would. */
export function keyOf(upstream: Upstream): string {
  return [upstream.sha256, ...Object.values(upstream.patches)].join(' ')
}

/** libbpf's headers by the names programs include them by: <bpf/bpf_helpers.h>. */
export async function linkHeaders(): Promise<void> {
  await step({ name: 'link headers', inputs: [], outputs: ['build/include/bpf'] }, async () => {
    mkdirSync('build/include', { recursive: true })
    rmSync('build/include/bpf', { force: true })
    symlinkSync('../sources/libbpf/src', 'build/include/bpf')
  })
}

async function patch(upstream: Upstream, fetched: string, folder: string): Promise<void> {
  const tarball = only(fetched, '.debian.tar.')
  await $({ quiet: true })`tar --extract --no-same-owner --directory=${folder} --file=${tarball} debian/patches`
  for (const [name, sha256] of Object.entries(upstream.patches)) {
    const file = join('debian/patches', name)
    check(join(folder, file), sha256)
    await $({ quiet: true, cwd: folder })`patch --strip=1 --forward --fuzz=0 --input=${file}`
  }
}

function only(folder: string, part: string): string {
  const names = readdirSync(folder).filter((name) => name.includes(part) && !name.endsWith('.asc'))
  const [name] = names
  if (name === undefined || names.length > 1) throw new StepError(`${folder}: ${names.length} files named *${part}*`)
  return join(folder, name)
}

function check(path: string, sha256: string): void {
  const found = createHash('sha256').update(readFileSync(path)).digest('hex')
  if (found !== sha256) {
    throw new StepError(
      `${path}: sha256 is ${found}, scripts/cross/upstream.ts pins ${sha256}.\n` +
        'If Debian has a new version, read what changed, then pin it.',
    )
  }
}
