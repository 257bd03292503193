import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Arch } from '../../scripts/cross/arch.ts'
import { buildBpf } from '../../scripts/cross/bpf.ts'
import { copy } from '../../scripts/cross/dist.ts'
import { locked } from '../../scripts/setup/lock.ts'

/** Makes the folder that a guest has as /add/native: the probe and what exercises the addon with it. */
export async function boardFolder(arch: Arch): Promise<string> {
  const folder = resolve('build', arch.name, 'native')
  // vitest's workers may want it at the same time
  await locked('test', async () => {
    mkdirSync(folder, { recursive: true })
    await buildBpf('test/native/probe.bpf.c', arch, folder)
    copy('test/native/on_board.cjs', join(folder, 'on_board.cjs'))
  })
  return folder
}
