import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'zx'
import type { Arch } from '../scripts/cross/arch.ts'
import { cacheDir } from '../scripts/setup/cache.ts'
import { locked } from '../scripts/setup/lock.ts'
import { StepError, timed } from '../scripts/setup/step.ts'
import { boardNodes, type NodeLine } from './board-nodes.ts'

/** The path of a Node for the board, fetched once and checked against its pinned digest. */
export async function fetchNode(line: NodeLine, arch: Arch): Promise<string> {
  const { version, [arch.name]: digest } = boardNodes[line]
  const name = `node-linux-${arch.name}`
  const folder = cacheDir('nodes')
  const node = join(folder, `${name}-${version}`)
  if (existsSync(node)) return node
  await locked(`download ${name} ${version}`, async () => {
    if (!existsSync(node)) await timed(`download ${name} ${version}`, () => download(name, version, digest, node))
  })
  return node
}

async function download(name: string, version: string, digest: string, node: string): Promise<void> {
  const part = cacheDir('nodes', '.part', randomUUID())
  const run = await $({
    quiet: true,
    nothrow: true,
  })`npm pack --silent --pack-destination ${part} ${`${name}@${version}`}`
  if (run.exitCode !== 0) throw new StepError(`npm pack ${name}@${version} failed:\n${run.stderr.trim()}`)
  const archive = join(part, `${name}-${version}.tgz`)
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (found !== digest) throw new StepError(`${name} ${version} is not what was pinned: ${found}`)
  await $({ quiet: true })`tar -xzf ${archive} -C ${part} package/bin/node`
  renameSync(join(part, 'package/bin/node'), node)
  rmSync(part, { recursive: true })
}
