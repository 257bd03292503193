import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A folder outside the work tree for what is fetched once and kept: packages, kernels. */
export function cacheDir(...names: string[]): string {
  const root = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const path = join(root, 'fpstack', ...names)
  mkdirSync(path, { recursive: true })
  return path
}
