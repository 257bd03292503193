import type { ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import { type Arch, archOf } from '../scripts/cross/arch.ts'
import { buildPrograms } from '../scripts/cross/programs.ts'
import type { Accelerator } from './accelerator.ts'
import { buildAgent } from './agent/build.ts'
import { type NodeLine, nodeLines } from './board-nodes.ts'
import { boardImage } from './image.ts'
import { fetchKernel } from './kernels/fetch-kernel.ts'
import { type KernelName, kernelNames } from './kernels/index.ts'
import { agentPort, machineArguments } from './machine.ts'
import { spawnQemu } from './qemu-process.ts'

export interface GuestOptions {
  readonly arch: Arch['name']
  readonly kernel: KernelName
  readonly node?: NodeLine
  readonly cpus?: number
  /** MB */
  readonly memory?: number
  /** One CPU whose clock is its instructions. */
  readonly icount?: boolean
  /** Folders of the host to appear as /add/NAME. */
  readonly add?: readonly string[]
}

export interface Launched {
  readonly child: ChildProcess
  /** For messages. */
  readonly name: string
}

const rootDescriptor = 4

/**
 * Starts QEMU with a board that has either its console on our terminal ('shell'), or
 * its console on a pipe and the agent's port on descriptor 3 ('agent').
 */
export async function launch(
  options: GuestOptions,
  accelerator: Accelerator,
  what: 'agent' | 'shell',
): Promise<Launched> {
  const { node = '22', cpus = 2, memory = 1024, icount = false, add = [] } = options
  const arch = archOf(options.arch)
  requireOneOf('kernel', options.kernel, kernelNames)
  requireOneOf('node', node, nodeLines)
  const kernel = await fetchKernel(options.kernel, arch)
  const agent = await buildAgent(arch)
  await buildPrograms(arch)
  const rootFile = await boardImage({ arch, kernel, agent, add }, node)
  try {
    const root = `/proc/self/fd/${rootDescriptor}`
    const init = what === 'shell' ? ['shell'] : []
    const args = machineArguments({ arch, accelerator, image: kernel.image, root, cpus, memory, icount, init })
    const child =
      what === 'shell'
        ? spawnQemu(arch.qemu, args, ['inherit', 'inherit', 'inherit', 'ignore', rootFile], false)
        : spawnQemu(arch.qemu, [...args, ...agentPort], ['ignore', 'pipe', 'pipe', 'pipe', rootFile], true)
    return { child, name: `${arch.name} ${kernel.release}` }
  } finally {
    closeSync(rootFile)
  }
}

function requireOneOf(what: string, name: string, names: readonly string[]): void {
  if (!names.includes(name)) throw new RangeError(`${what} ${name}: not one of ${names.join(', ')}`)
}
