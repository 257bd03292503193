import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StepError, step } from '../setup/step.ts'
import type { Arch } from './arch.ts'

const mostBytes = 1_000_000

export function distDir(arch: Arch): string {
  return join('dist', `linux-${arch.name}`)
}

/** Puts a built file into dist under a name that is never half-written. */
export async function place(from: string, to: string): Promise<void> {
  await step({ name: `place ${to}`, inputs: [from], outputs: [to] }, async () => copy(from, to))
}

export function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, `${to}.part`)
  renameSync(`${to}.part`, to)
}

/** Takes away what an earlier build left and this one does not make; fails above the size limit. */
export function checkDist(arch: Arch, names: readonly string[]): void {
  const folder = distDir(arch)
  for (const name of readdirSync(folder)) {
    if (!names.includes(name)) rmSync(join(folder, name), { recursive: true })
  }
  const sizes = names.map((name) => ({ name, bytes: statSync(join(folder, name)).size }))
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  if (total <= mostBytes) return
  const rows = sizes.map(({ name, bytes }) => `  ${String(bytes).padStart(9)} ${name}`)
  throw new StepError(`${folder}: ${total} bytes, ${mostBytes} allowed:\n${rows.join('\n')}`)
}
