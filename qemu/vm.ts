/** `npm run vm`: boots a board and runs one command in it as if it were here, or gives a shell. */
import { statSync } from 'node:fs'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { arches } from '../scripts/cross/arch.ts'
import { build } from '../scripts/cross/build.ts'
import { nodeLines } from './board-nodes.ts'
import type { GuestCommand } from './command.ts'
import { bootGuest, type GuestOptions } from './guest.ts'
import { GuestError } from './guest-error.ts'
import { kernelNames } from './kernels/index.ts'
import { runShell } from './shell.ts'

const sameMs = 200
const archNames = arches.map(({ name }) => name)
const program = new Command('npm run -s vm --')
  .usage('[OPTION]... [COMMAND [ARGUMENT]...]')
  .description('Boots a board in QEMU and runs COMMAND in it, or a shell on its console.')
  .argument('[command...]', 'found on the board; fpstack and test/programs are on its PATH')
  .addOption(new Option('--arch <name>', 'architecture').choices(archNames).default('arm64'))
  .addOption(new Option('--kernel <name>', 'kernel').choices(kernelNames).default('6.12'))
  .addOption(new Option('--node <line>', 'Node of the board').choices(nodeLines).default('22'))
  .option('--cpus <n>', 'CPUs', wholeNumber, 2)
  .option('--memory <mb>', 'memory in MB', wholeNumber, 1024)
  .option('--icount', 'one CPU whose clock is its instructions: slower, and the same in every run', false)
  .option('--add <folder>', 'a folder to appear as /add/NAME; may be repeated', addFolder, [])
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'vm: ')) })
  .passThroughOptions()
  .exitOverride()

process.exitCode = await main()

async function main(): Promise<number> {
  try {
    program.parse()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
  await build()
  const options = program.opts<GuestOptions>()
  try {
    if (program.args.length > 0) return await runCommand(options, program.args)
    await runShell(options)
    return 0
  } catch (error) {
    // A range: names that are right each by itself, and not together.
    if (!(error instanceof GuestError || error instanceof RangeError)) throw error
    process.stderr.write(`vm: ${error.message}\n`)
    return error instanceof GuestError ? 125 : 2
  }
}

async function runCommand(options: GuestOptions, argv: readonly string[]): Promise<number> {
  await using guest = await bootGuest(options)
  const command = await guest.start(argv, {
    ...(process.stdin.isTTY ? {} : { stdin: process.stdin }),
    onStdout: (chunk) => written(process.stdout, chunk),
    onStderr: (chunk) => written(process.stderr, chunk),
  })
  forwardSignals(command)
  // As a pipe's reader that went away would end a command here.
  process.stdout.on('error', () => command.kill('SIGPIPE'))
  const { code, signal } = await command.done
  process.stdin.destroy()
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal]
}

/** npm hands on what the terminal has sent to us as well; both are one. */
function forwardSignals(command: GuestCommand): void {
  let last = Number.NEGATIVE_INFINITY
  const forward = (signal: NodeJS.Signals) => {
    if (performance.now() - last > sameMs) command.kill(signal)
    last = performance.now()
  }
  process.on('SIGINT', forward).on('SIGTERM', forward)
}

function written(stream: NodeJS.WriteStream, chunk: Buffer): Promise<unknown> | undefined {
  if (stream.write(chunk)) return undefined
  return new Promise((resolve) => stream.once('drain', resolve).once('error', resolve))
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It has to be a whole number above 0.')
  return Number(text)
}

function addFolder(path: string, before: readonly string[]): readonly string[] {
  // npm runs us at the package's root; the path was typed where it was called.
  const folder = resolve(process.env.INIT_CWD ?? '.', path)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new InvalidArgumentError('There is no such folder.')
  return [...before, folder]
}
