import type { ChildProcess } from 'node:child_process'
import type { Duplex, Readable } from 'node:stream'
import { type Accelerator, acceleratorFor } from './accelerator.ts'
import { Channel } from './channel.ts'
import type { GuestCommand, Result, StartOptions } from './command.ts'
import { ConsoleTail } from './console-tail.ts'
import { GuestError } from './guest-error.ts'
import { type GuestOptions, type Launched, launch } from './launch.ts'

export type { GuestOptions } from './launch.ts'

export interface RunOptions extends StartOptions {
  readonly timeoutMs?: number
}

const pingMs = 1_000
/** Several times what a boot takes on a busy machine, and what a live guest may stay silent for. */
const bootMs = 50_000
const silenceMs = 30_000
const kvmProbeMs = 8_000
const runMs = 60_000

/** Boots a board and waits until its agent answers. */
export async function bootGuest(options: GuestOptions): Promise<Guest> {
  return boot(options, await accelerator(options), bootMs)
}

export function accelerator(options: GuestOptions): Promise<Accelerator> {
  return acceleratorFor(options, async (kind) => {
    try {
      await (await boot(options, kind, kvmProbeMs)).close()
      return true
    } catch (error) {
      if (error instanceof GuestError) return false
      throw error
    }
  })
}

async function boot(options: GuestOptions, kind: Accelerator, limitMs: number): Promise<Guest> {
  const guest = new Guest(await launch(options, kind, 'agent'), limitMs)
  await guest.booted
  return guest
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

  constructor({ name, child }: Launched, limitMs: number) {
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
    this.booted = this.#boot(limitMs)
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

  async #boot(limitMs: number): Promise<void> {
    const began = performance.now()
    let booted = false
    const watch = setInterval(() => {
      const silent = performance.now() - (booted ? this.#channel.heard : began)
      if (booted) this.#channel.ping()
      if (silent > (booted ? silenceMs : limitMs))
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
