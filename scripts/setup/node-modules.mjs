import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { SetupError } from './setup-error.mjs'

const stamp = 'node_modules/.fpstack-lock'

/** Makes node_modules what package-lock.json says, once for each lock file. */
export function requireNodeModules() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 17)) {
    throw new SetupError(`Node ${process.versions.node} is too old to build with: install Node 20.17 or later`)
  }
  const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  const began = Date.now()
  process.stderr.write('set-up: npm ci …\n')
  // No package here needs its install script: esbuild's binary is a package of its own.
  const run = spawnSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], { encoding: 'utf8' })
  if (run.status !== 0) {
    const why = run.stderr.trim().split('\n').slice(0, 8).join('\n')
    throw new SetupError(`npm ci failed:\n${why}\nMend it, then type the same command again.`)
  }
  writeFileSync(stamp, lock)
  process.stderr.write(`set-up: npm ci (${((Date.now() - began) / 1000).toFixed(1)} s)\n`)
}
