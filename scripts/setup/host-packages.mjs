import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { SetupError } from './setup-error.mjs'

/** Debian packages that building and testing call by name, and what for. */
const packages = {
  binutils: 'readelf and objcopy',
  'binutils-aarch64-linux-gnu': 'the same for the board',
  bpftool: 'vmlinux.h from a kernel image',
  bzip2: 'the source of elfutils',
  'ca-certificates': 'packages over TLS',
  'clang-19': 'BPF objects',
  cpio: 'guest images',
  'debian-archive-keyring': 'signatures of kernels and sources',
  'dpkg-dev': 'unpacking source packages',
  gcc: 'the addon for x86_64',
  'gcc-aarch64-linux-gnu': 'the addon for aarch64',
  'libc6-dev': 'the addon for x86_64',
  'libc6-dev-arm64-cross': 'the addon for aarch64',
  'llvm-19': 'llvm-strip for BPF objects',
  lz4: 'x86 kernel images',
  make: 'node-gyp',
  patch: "Debian's patches to sources",
  python3: 'node-gyp',
  'qemu-system-arm': 'the aarch64 board',
  'qemu-system-x86': 'the x86_64 board',
  'xz-utils': 'kernel modules and sources',
  zstd: 'x86 kernel images',
}

/**
 * Installs what is missing when it may (root on Debian); otherwise stops
 * before anything is done and says what to type.
 */
export function requireHostPackages() {
  const missing = Object.keys(packages).filter((name) => !installed().has(name))
  if (missing.length === 0) return
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`
  const needs = missing.map((name) => `  ${name}: ${packages[name]}`).join('\n')
  if (!isDebian()) {
    throw new SetupError(
      `this is not Debian, so the tools behind these Debian packages have to come from you:\n${needs}\n` +
        'Run it on Debian 12 (a container will do), where root installs them by itself.',
    )
  }
  if (process.getuid() !== 0) {
    throw new SetupError(`these packages are missing, and only root can install them:\n${needs}\ntype: sudo ${command}`)
  }
  const began = Date.now()
  process.stderr.write(`set-up: installing ${missing.length} Debian packages …\n`)
  apt(['update'])
  apt(['install', '--yes', '--no-install-recommends', ...missing])
  process.stderr.write(`set-up: installed Debian packages (${((Date.now() - began) / 1000).toFixed(1)} s)\n`)
}

let known
function installed() {
  // dpkg-query answers 1 as soon as one name is unknown, so its status says nothing here.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own syntax
  const format = '${binary:Package} ${db:Status-Abbrev}\n'
  known ??= spawnSync('dpkg-query', ['--show', `--showformat=${format}`], { encoding: 'utf8', maxBuffer: 64 << 20 })
  const lines = (known.stdout ?? '').split('\n').filter((line) => line.includes(' ii'))
  return new Set(lines.map((line) => line.split(/[ :]/)[0]))
}

function isDebian() {
  if (!existsSync('/etc/os-release')) return false
  return /^ID(_LIKE)?=.*\bdebian\b/m.test(readFileSync('/etc/os-release', 'utf8'))
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const run = spawnSync('apt-get', ['-q', ...args], { env, encoding: 'utf8', maxBuffer: 64 << 20 })
  if (run.status === 0) return
  known = undefined
  const last = `${run.stdout}${run.stderr}`.trim().split('\n').slice(-15).join('\n')
  throw new SetupError(`apt-get ${args[0]} failed:\n${last}\nMend it, then type the same command again.`)
}
