import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { frameTypes, stdinWindow, words } from './frame.ts'
import { GuestError } from './guest-error.ts'

export interface StartOptions {
  /** Added to PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>
  readonly uid?: number
  /** /dev/null where not given. */
  readonly stdin?: string | Uint8Array | Readable
  /**
   * Takes the bytes as they come, in place of the result. A promise holds the
   * command back until it is kept, once the window is full.
   */
  readonly onStdout?: (chunk: Buffer) => unknown
  readonly onStderr?: (chunk: Buffer) => unknown
}

export interface Result {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** stdout as it came, for what is not text. */
  readonly bytes: Buffer
}

type Stream = 'stdout' | 'stderr'
const streamNumber = { stdout: 1, stderr: 2 } as const

/** A command in the guest, from its start to its end. It ends when its own process does. */
export class GuestCommand {
  /** Its process in the guest, which leads a process group of its own. */
  pid = 0
  readonly done: Promise<Result>
  /** Kept as soon as the guest has made the process. */
  readonly started: Promise<void>
  readonly #argv: readonly string[]
  readonly #options: StartOptions
  readonly #send: (type: number, payload: Uint8Array) => void
  readonly #output: Record<Stream, Buffer[]> = { stdout: [], stderr: [] }
  readonly #watchers = new Set<() => void>()
  #stdinCredit = stdinWindow
  #moreCredit: () => void = () => {}
  #settle: { begun: () => void; end: (result: Result) => void; fail: (error: Error) => void }
  #ended = false

  constructor(argv: readonly string[], options: StartOptions, send: (type: number, payload: Uint8Array) => void) {
    this.#argv = argv
    this.#options = options
    this.#send = send
    let begun = (): void => {}
    let end = (_: Result): void => {}
    let fail = (_: Error): void => {}
    this.done = new Promise((resolve, reject) => {
      end = resolve
      fail = reject
    })
    this.started = new Promise((resolve, reject) => {
      begun = resolve
      this.done.catch(reject)
    })
    // Whoever awaits them hears of the failure; nobody has to.
    this.started.catch(() => {})
    this.#settle = { begun, end, fail }
  }

  /** Sends a signal to its whole process group. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#send(frameTypes.signal, words(constants.signals[signal]))
  }

  /** Waits until the collected output so far matches; fails if the command ends without, or after timeoutMs. */
  waitFor(stream: Stream, pattern: RegExp, timeoutMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer)
        this.#watchers.delete(check)
        error === undefined ? resolve() : reject(error)
      }
      const missing = (why: string) =>
        new GuestError(`${this.#argv.join(' ')}: ${stream} has no ${pattern} ${why}\n${this.#said()}`)
      const check = (): void => {
        if (pattern.test(this.#text(stream))) settle()
        else if (this.#ended) settle(missing('at the end'))
      }
      const timer = setTimeout(() => settle(missing(`after ${timeoutMs} ms`)), timeoutMs)
      this.#watchers.add(check)
      check()
    })
  }

  /** Kills it if it has not ended after timeoutMs, which is a failure. */
  async within(timeoutMs: number): Promise<Result> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.kill('SIGKILL')
    }, timeoutMs)
    try {
      const result = await this.done
      if (late) throw new GuestError(`${this.#argv.join(' ')}: not done after ${timeoutMs} ms\n${this.#said()}`)
      return result
    } finally {
      clearTimeout(timer)
    }
  }

  /** The channel's: a frame of this command. */
  take(type: number, payload: Buffer): void {
    if (type === frameTypes.started) {
      this.pid = payload.readUInt32LE(0)
      this.#settle.begun()
      // A source that breaks has ended, as far as the command can tell.
      void this.#feed().catch(() => this.#send(frameTypes.stdin, Buffer.alloc(0)))
    } else if (type === frameTypes.stdout) void this.#receive('stdout', payload)
    else if (type === frameTypes.stderr) void this.#receive('stderr', payload)
    else if (type === frameTypes.credit) {
      this.#stdinCredit += payload.readUInt32LE(4)
      this.#moreCredit()
    } else if (type === frameTypes.exit) this.#end(payload.readUInt32LE(0), payload.readUInt32LE(4))
  }

  /** The channel's: the guest is gone. */
  fail(error: Error): void {
    this.#ended = true
    this.#settle.fail(error)
    this.#notify()
  }

  async #receive(stream: Stream, chunk: Buffer): Promise<void> {
    const listener = stream === 'stdout' ? this.#options.onStdout : this.#options.onStderr
    if (listener === undefined) {
      this.#output[stream].push(Buffer.from(chunk))
      this.#notify()
    } else await listener(chunk)
    if (!this.#ended) this.#send(frameTypes.credit, words(streamNumber[stream], chunk.length))
  }

  async #feed(): Promise<void> {
    const { stdin } = this.#options
    if (stdin === undefined) return
    const source = typeof stdin === 'string' || stdin instanceof Uint8Array ? [stdin] : stdin
    for await (const piece of source) {
      for (let rest = Buffer.from(piece); rest.length > 0 && !this.#ended; ) {
        while (this.#stdinCredit === 0 && !this.#ended)
          await new Promise<void>((resolve) => {
            this.#moreCredit = resolve
          })
        const part = rest.subarray(0, this.#stdinCredit)
        this.#stdinCredit -= part.length
        this.#send(frameTypes.stdin, part)
        rest = rest.subarray(part.length)
      }
      if (this.#ended) return
    }
    this.#send(frameTypes.stdin, Buffer.alloc(0))
  }

  #end(code: number, signal: number): void {
    this.#ended = true
    this.#moreCredit()
    const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0]
    const bytes = Buffer.concat(this.#output.stdout)
    this.#settle.end({
      code: signal === 0 ? code : null,
      signal: signal === 0 ? null : ((name ?? `SIG${signal}`) as NodeJS.Signals),
      stdout: bytes.toString(),
      stderr: this.#text('stderr'),
      bytes,
    })
    this.#notify()
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  #text(stream: Stream): string {
    return Buffer.concat(this.#output[stream]).toString()
  }

  #said(): string {
    return (['stdout', 'stderr'] as const)
      .map((stream) => `  ${stream}: ${this.#text(stream).slice(-2000).trimEnd().replaceAll('\n', '\n    ')}`)
      .join('\n')
  }
}
