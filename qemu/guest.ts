import type { ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { Duplex, Readable } from 'node:stream'
import { type Arch, archOf } from '../scripts/cross/arch.ts'
import { buildPrograms } from '../scripts/cross/programs.ts'
import { buildAgent } from './agent/build.ts'
import { type NodeLine, nodeLines } from './board-nodes.ts'
import { Channel } from './channel.ts'
import type { GuestCommand, Result, StartOptions } from './command.ts'
import { ConsoleTail } from './console-tail.ts'
import { GuestError } from './guest-error.ts'
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

export interface RunOptions extends StartOptions {
  readonly timeoutMs?: number
}

const pingMs = 1_000
/** Several times what a boot takes on a busy machine, and what a live guest may stay silent for. */
const bootMs = 50_000
const silenceMs = 30_000
const runMs = 60_000

/** Boots a board and waits until its agent answers. */
export async function bootGuest(options: GuestOptions): Promise<Guest> {
  const { child, name } = await launch(options, [], ['ignore', 'pipe', 'pipe', 'pipe'])
  const guest = new Guest(name, child)
  await guest.booted
  return guest
}

/** A board whose console is ours until it powers off. */
export async function runShell(options: GuestOptions): Promise<void> {
  const { child } = await launch(options, ['shell'], ['inherit', 'inherit', 'inherit', 'ignore'])
  await new Promise((resolve) => child.once('exit', resolve))
}

async function launch(options: GuestOptions, init: readonly string[], stdio: ('ignore' | 'pipe' | 'inherit')[]) {
  const { node = '22', cpus = 2, memory = 1024, icount = false, add = [] } = options
  const arch = archOf(options.arch)
  if (!kernelNames.includes(options.kernel))
    throw new RangeError(`kernel ${options.kernel}: not one of ${kernelNames.join(', ')}`)
  if (!nodeLines.includes(node)) throw new RangeError(`node ${node}: not one of ${nodeLines.join(', ')}`)
  const kernel = await fetchKernel(options.kernel, arch)
  const agent = await buildAgent(arch)
  await buildPrograms(arch)
  const root = await boardImage({ arch, kernel, agent, add }, node)
  try {
    const rootDescriptor = 4
    const machine = { arch, image: kernel.image, root: `/proc/self/fd/${rootDescriptor}`, cpus, memory, icount, init }
    const hasAgent = init.length === 0
    const args = [...machineArguments(machine), ...(hasAgent ? agentPort : [])]
    const child = spawnQemu(arch.qemu, args, [...stdio, root], hasAgent)
    return { child, name: `${arch.name} ${kernel.release}` }
  } finally {
    closeSync(root)
  }
}

export class Guest implements AsyncDisposable {
  /** Of its kernel, as uname -r says it. */
  release = ''
  /** Kept when the agent answers. */
  readonly booted: Promise<void>
  readonly #name: string
  readonly #child: ChildProcess
  readonly #console = new ConsoleTail()
  readonly #channel: Channel
  readonly #ended: Promise<void>
  #closing = false

  constructor(name: string, child: ChildProcess) {
    this.#name = name
    this.#child = child
    const [, out, err, port] = child.stdio
    for (const stream of [out, err] as Readable[]) stream.on('data', (chunk: Buffer) => this.#console.push(chunk))
    this.#channel = new Channel(port as Duplex)
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => this.#fail(error.message))
      child.once('close', (code, signal) => {
        this.#fail(`QEMU ended (${signal ?? code})`)
        resolve()
      })
    })
    this.booted = this.#boot()
  }

  async start(argv: readonly string[], options: StartOptions = {}): Promise<GuestCommand> {
    return this.#channel.start(argv, options)
  }

  /** Runs a command to its end. */
  async run(argv: readonly string[], { timeoutMs = runMs, ...options }: RunOptions = {}): Promise<Result> {
    const command = await this.start(argv, options)
    return command.within(timeoutMs)
  }

  /** Nothing in it outlives a run, so its power is cut. */
  async close(): Promise<void> {
    this.#closing = true
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #boot(): Promise<void> {
    const began = performance.now()
    let booted = false
    const watch = setInterval(() => {
      const silent = performance.now() - (booted ? this.#channel.heard : began)
      if (booted) this.#channel.ping()
      if (silent > (booted ? silenceMs : bootMs))
        this.#fail(`${booted ? 'silent' : 'not booted'} after ${Math.round(silent / 1000)} s`)
    }, pingMs)
    watch.unref()
    void this.#ended.then(() => clearInterval(watch))
    this.release = await this.#channel.hello
    booted = true
  }

  #fail(what: string): void {
    this.#child.kill('SIGKILL')
    const why = this.#closing ? 'closed' : `${what}; ${this.#console}`
    this.#channel.fail(new GuestError(`guest ${this.#name}: ${why}`))
  }
}
