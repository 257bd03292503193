import type { Duplex } from 'node:stream'
import { GuestCommand, type StartOptions } from './command.ts'
import { encodeFrame, type Frame, FrameReader, frameTypes, words } from './frame.ts'

const commandEnvironment = { PATH: '/usr/sbin:/usr/bin:/opt/programs', HOME: '/root', LANG: 'C.UTF-8' }

/** The host's end of the agent's port. */
export class Channel {
  /** When the guest was last heard of (performance.now). */
  heard = performance.now()
  /** The release of its kernel, once the agent runs. */
  readonly hello: Promise<string>
  readonly #port: Duplex
  readonly #commands = new Map<number, GuestCommand>()
  #lastId = 0
  #failure: Error | undefined
  #greet: (release: string) => void = () => {}
  #refuse: (failure: Error) => void = () => {}

  constructor(port: Duplex) {
    this.#port = port
    this.hello = new Promise((resolve, reject) => {
      this.#greet = resolve
      this.#refuse = reject
    })
    const reader = new FrameReader()
    port.on('data', (chunk: Buffer) => {
      this.heard = performance.now()
      for (const frame of reader.push(chunk)) this.#take(frame)
    })
    // QEMU's end tells more than a broken socket does.
    port.on('error', () => {})
  }

  ping(): void {
    this.#send(frameTypes.ping, 0)
  }

  async start(argv: readonly string[], options: StartOptions): Promise<GuestCommand> {
    const id = ++this.#lastId
    const command = new GuestCommand(argv, options, (type, payload) => this.#send(type, id, payload))
    if (this.#failure !== undefined) throw this.#failure
    this.#commands.set(id, command)
    this.#send(frameTypes.exec, id, execPayload(argv, options))
    await command.started
    return command
  }

  /** Ends every command with the guest's failure, and refuses further ones. */
  fail(failure: Error): void {
    this.#failure ??= failure
    this.#refuse(failure)
    for (const command of this.#commands.values()) command.fail(failure)
    this.#commands.clear()
    this.#port.destroy()
  }

  #send(type: number, id: number, payload?: Uint8Array): void {
    if (this.#failure === undefined) this.#port.write(encodeFrame(type, id, payload))
  }

  #take({ type, id, payload }: Frame): void {
    if (type === frameTypes.hello) this.#greet(payload.toString())
    this.#commands.get(id)?.take(type, payload)
    if (type === frameTypes.exit) this.#commands.delete(id)
  }
}

function execPayload(argv: readonly string[], options: StartOptions): Buffer {
  const env = Object.entries({ ...commandEnvironment, ...options.env }).map(([name, value]) => `${name}=${value}`)
  const strings = [...argv, ...env]
  if (argv.length === 0 || strings.some((text) => text.includes('\0')))
    throw new RangeError('a command needs a name, and no zero byte in its words')
  const about = words(options.uid ?? 0, options.stdin === undefined ? 0 : 1, argv.length, env.length)
  return Buffer.concat([about, Buffer.from(strings.map((text) => `${text}\0`).join(''))])
}
