import { once } from 'node:events'
import { accelerator } from './guest.ts'
import { type GuestOptions, launch } from './launch.ts'

/** A board whose console is our terminal until it powers off. */
export async function runShell(options: GuestOptions): Promise<void> {
  const { child } = await launch(options, await accelerator(options), 'shell')
  await once(child, 'exit')
}
