import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'zx'
import { cacheDir } from './cache.ts'
import { locked } from './lock.ts'
import { StepError, timed } from './step.ts'

export type Suite = 'bullseye' | 'bookworm' | 'trixie' | 'sid'
export type DebianArch = 'arm64' | 'amd64'
export interface Package {
  readonly name: string
  readonly arch: DebianArch
  readonly suite: Suite
  /** Debian's version, as the index has it now. */
  readonly version: string
}

const suites: readonly Suite[] = ['bullseye', 'bookworm', 'trixie', 'sid']
const dayMs = 24 * 3600 * 1000

/** Names in the index of today that begin with prefix. */
export async function packageNames(prefix: string): Promise<string[]> {
  return (await ask(['pkgnames', prefix])).split('\n').filter(Boolean).sort()
}

/** The newest version of a package in one suite; undefined where the suite lacks it. */
export async function findPackage(name: string, arch: DebianArch, suite: Suite): Promise<Package | undefined> {
  const rows = (await ask(['madison', `${name}:${arch}`]))
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()))
  const row = rows.find((cells) => cells[2]?.includes(` ${suite}/`) && cells[2].includes(` ${arch} `))
  return row?.[1] === undefined ? undefined : { name, arch, suite, version: row[1] }
}

/** Downloads a package once, checked against the signed index; gives the .deb's path. */
export async function fetchPackage(wanted: Package): Promise<string> {
  const folder = cacheDir('debs', wanted.suite)
  const version = wanted.version.replaceAll(':', '%3a')
  const held = () =>
    readdirSync(folder).find(
      (file) => file.startsWith(`${wanted.name}_${version}_`) && file.endsWith(`${wanted.arch}.deb`),
    )
  if (held() === undefined) {
    const what = `download ${wanted.name} ${wanted.version} ${wanted.arch}`
    await locked(what, async () => {
      if (held() !== undefined) return
      await timed(what, () =>
        into(folder, (cwd) => apt('apt-get', ['download', `${wanted.name}:${wanted.arch}=${wanted.version}`], cwd)),
      )
    })
  }
  const file = held()
  if (file === undefined) throw new StepError(`apt-get download ${wanted.name}: left no file for ${wanted.arch}`)
  return join(folder, file)
}

/** Unpacks a package once; gives the folder. */
export async function unpackPackage(wanted: Package): Promise<string> {
  const deb = await fetchPackage(wanted)
  const folder = join(
    cacheDir('unpacked', wanted.suite),
    `${wanted.name}_${wanted.version.replaceAll(':', '%3a')}_${wanted.arch}`,
  )
  if (!existsSync(folder)) {
    const part = `${folder}.${randomUUID()}`
    await $({ quiet: true })`dpkg-deb --extract ${deb} ${part}`
    // Another boot may have been faster.
    if (existsSync(folder)) rmSync(part, { recursive: true })
    else renameSync(part, folder)
  }
  return folder
}

/** Downloads a signed source package once; gives the folder with its .dsc and archives. */
export async function fetchSource(name: string, suite: Suite): Promise<string> {
  const folder = join(cacheDir('sources'), `${suite}-${name}`)
  if (existsSync(folder)) return folder
  rmSync(`${folder}.part`, { recursive: true, force: true })
  mkdirSync(`${folder}.part`)
  await timed(`download source ${name}`, () =>
    apt('apt-get', ['source', '--download-only', '--only-source', `${name}/${suite}`], `${folder}.part`),
  )
  renameSync(`${folder}.part`, folder)
  return folder
}

/** Files arrive under a temporary name, so an interrupted download is never taken for a whole one. */
async function into(folder: string, fill: (cwd: string) => Promise<unknown>): Promise<void> {
  const part = join(folder, '.part', randomUUID())
  mkdirSync(part, { recursive: true })
  await fill(part)
  for (const file of readdirSync(part)) renameSync(join(part, file), join(folder, file))
  rmSync(part, { recursive: true })
}

/** An answer holds as long as the index it came from; a guest's boot asks several things, each worth 0.3 s. */
async function ask(args: string[]): Promise<string> {
  await privateRoot()
  const kept = join(cacheDir('apt', 'answers'), args.join(' ').replaceAll('/', '_'))
  if (existsSync(kept) && statSync(kept).mtimeMs > statSync(stampPath()).mtimeMs) return readFileSync(kept, 'utf8')
  const answer = await apt('apt-cache', args)
  const part = `${kept}.${randomUUID()}`
  writeFileSync(part, answer)
  renameSync(part, kept)
  return answer
}

async function apt(program: 'apt-get' | 'apt-cache', args: string[], cwd = '.'): Promise<string> {
  const config = await privateRoot()
  const run = await $({
    quiet: true,
    nothrow: true,
    cwd,
    env: { ...process.env, APT_CONFIG: config },
  })`${program} -q ${args}`
  if (run.exitCode !== 0)
    throw new StepError(`${program} ${args.join(' ')} failed:\n${run.stderr.trim().split('\n').slice(-8).join('\n')}`)
  return run.stdout
}

let ready: Promise<string> | undefined
/**
 * A private apt root: own state, cache and sources, so this machine's apt stays
 * as it is while four suites of two architectures are open to us. Gives the
 * path for APT_CONFIG. The index is refreshed once a day.
 */
function privateRoot(): Promise<string> {
  ready ??= prepareRoot()
  return ready
}

function stampPath(): string {
  return join(cacheDir('apt'), 'updated')
}

async function prepareRoot(): Promise<string> {
  const root = cacheDir('apt')
  // Files written again would make apt build its cache again, which takes seconds.
  if (!isFresh(root)) await locked('package index', async () => isFresh(root) || (await refresh(root)))
  return configPath(root)
}

function configPath(root: string): string {
  return join(root, 'apt.conf')
}

/** What the stamp has to hold. */
function settings(root: string): string {
  return configuration(root) + suites.join(' ')
}

function isFresh(root: string): boolean {
  const stamp = stampPath()
  if (!existsSync(stamp) || Date.now() - statSync(stamp).mtimeMs > dayMs) return false
  return readFileSync(stamp, 'utf8') === settings(root)
}

async function refresh(root: string): Promise<void> {
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'etc/preferences.d'])
    mkdirSync(join(root, part), { recursive: true })
  const env = { ...process.env, APT_CONFIG: configPath(root) }
  writeFileSync(join(root, 'etc/fpstack.sources'), await sources())
  writeFileSync(join(root, 'state/status'), '')
  writeFileSync(configPath(root), configuration(root))
  const run = await timed(
    'read the package index',
    () => $({ quiet: true, nothrow: true, env })`apt-get -q update --error-on=any`,
  )
  const stamp = stampPath()
  if (run.exitCode === 0) writeFileSync(stamp, settings(root))
  else if (!existsSync(stamp)) throw new StepError(`apt-get update in ${root} failed:\n${run.stderr.trim()}`)
  else
    process.stderr.write(
      `  the package index could not be refreshed; the one of ${statSync(stamp).mtime.toISOString()} serves\n`,
    )
}

/** The mirror is the one this machine already uses. */
async function sources(): Promise<string> {
  const targets = await $({ quiet: true })`apt-get indextargets --format ${'$(REPO_URI) $(RELEASE)'}`
  const mirror = targets.stdout
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, release]) => /^(bookworm|trixie|stable|sid)$/.test(release ?? ''))?.[0]
  if (mirror === undefined)
    throw new StepError('apt-get indextargets names no Debian mirror on this machine: add one and run apt-get update')
  return suites.map((suite) => stanza(mirror, suite)).join('\n')
}

function stanza(mirror: string, suite: Suite): string {
  const lines = [
    'Types: deb deb-src',
    `URIs: ${mirror}`,
    `Suites: ${suite}`,
    'Components: main',
    'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
  ]
  // A mirror's sid may be weeks behind, and its Release file then counts as expired. The signature
  // still has to hold; only its age is let pass, for kernels that run nowhere but in a guest.
  if (suite === 'sid') lines.push('Check-Valid-Until: no')
  return `${lines.join('\n')}\n`
}

function configuration(root: string): string {
  return `Dir "${root}";
Dir::State "${root}/state";
Dir::State::status "${root}/state/status";
Dir::Cache "${root}/cache";
Dir::Etc "${root}/etc";
Dir::Etc::sourcelist "${root}/etc/fpstack.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::trusted "/dev/null";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
`
}
