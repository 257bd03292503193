import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Arch } from '../../scripts/cross/arch.ts'
import { buildBpf } from '../../scripts/cross/bpf.ts'

/** Makes the folder that a guest has as /add/native: the probe and what exercises the addon with it. */
export async function boardFolder(arch: Arch): Promise<string> {
  const folder = join('build', arch.name, 'native')
  mkdirSync(folder, { recursive: true })
  await buildBpf('test/native/probe.bpf.c', arch, folder)
  copyFileSync('test/native/on_board.cjs', join(folder, 'on_board.cjs'))
  return folder
}
