import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir } from '../scripts/setup/cache.ts'
import type { GuestOptions } from './launch.ts'

export type Accelerator = 'tcg' | 'kvm'

let asked: Promise<Accelerator> | undefined

/**
 * KVM where a guest was seen to boot under it: that /dev/kvm opens proves nothing, for
 * nested machines there are whose guests hang. Tried once for each start of this machine.
 */
export async function acceleratorFor(
  options: GuestOptions,
  boots: (accelerator: Accelerator) => Promise<boolean>,
): Promise<Accelerator> {
  if (options.arch !== process.arch || options.icount || !opens('/dev/kvm')) return 'tcg'
  asked ??= tried(boots)
  return asked
}

async function tried(boots: (accelerator: Accelerator) => Promise<boolean>): Promise<Accelerator> {
  const start = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const verdict = join(cacheDir('accelerators'), start)
  if (existsSync(verdict)) return readFileSync(verdict, 'utf8') as Accelerator
  const found = (await boots('kvm')) ? 'kvm' : 'tcg'
  writeFileSync(verdict, found)
  if (found === 'tcg') process.stderr.write('  TCG: KVM did not boot a guest here\n')
  return found
}

function opens(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}
