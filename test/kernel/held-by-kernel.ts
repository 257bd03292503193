import { setTimeout } from 'node:timers/promises'
import type { Guest } from '../../qemu/guest.ts'

const listing = `
const addon = require('/opt/fpstack/fpstack.node')
console.log(JSON.stringify({ programs: addon.kernelPrograms(), links: addon.kernelLinks() }))`

/** Programs and links that the kernel lists. */
export async function heldByKernel(guest: Guest): Promise<{ programs: unknown[]; links: unknown }> {
  return JSON.parse((await guest.run(['node', '-e', listing])).stdout)
}

/** The same once it is nothing, or after a while what still is there: the kernel frees programs a grace period later. */
export async function leftInKernel(guest: Guest): Promise<unknown[]> {
  for (let tries = 0; ; tries++) {
    const { programs, links } = await heldByKernel(guest)
    // Kernels before 5.8 have no links to list.
    const left = [...programs, ...(Array.isArray(links) ? links : [])]
    if (left.length === 0 || tries === 8) return left
    await setTimeout(250)
  }
}
