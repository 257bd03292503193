import { constants } from 'node:os'
import { dirname } from 'node:path'
import { PassThrough } from 'node:stream'
import { Command, CommanderError } from 'commander'
import { type CommandRow, commands } from './commands/index.ts'
import { errorText, FpstackError, systemFailure } from './errors.ts'
import { printable } from './formats/printable.ts'
import { ignores, inForeground } from './kernel/own-process.ts'
import { loadAddon } from './native.ts'
import type { Host } from './types.ts'

declare const FPSTACK_VERSION: string

const oldestNode = 18
const usageExit = 2

/** argv to command to exit code. No process.exit: it would cut off what is still being piped. */
async function main(argv: readonly string[], host: Host): Promise<void> {
  const bar = argv.indexOf('--')
  const own = bar < 0 ? argv : argv.slice(0, bar)
  const rest = bar < 0 ? [] : argv.slice(bar + 1)
  if (own[0] === '--version') return void host.out.write(versionText(host))
  const program = new Command('fpstack')
    .description('who calls what, and where time goes: frame-pointer stacks by BPF')
    .usage('COMMAND [options]')
    .helpCommand('help [command]', 'what a command takes')
    .option('--version', "fpstack's version and libbpf's")
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .configureOutput({ writeOut: (text) => host.out.write(text), writeErr: () => {} })
  for (const [name, row] of Object.entries<CommandRow>(commands)) {
    const command = program
      .command(name)
      .summary(row.summary)
      .usage(row.usage)
      .argument('[operand...]')
      .helpOption('-h, --help')
    // Only the command that is named loads its modules; the others are a line in the list.
    if (!own.includes(name)) continue
    const module = await row.load()
    module.configure(command.description(row.summary))
    command.action((operands: string[], options: Record<string, unknown>) => module.run(host, operands, options, rest))
  }
  await program.parseAsync(own.length === 0 ? ['--help'] : [...own], { from: 'user' })
}

function versionText(host: Host): string {
  return `fpstack ${host.version} (libbpf ${loadAddon(host.folder).libbpfVersion()}, Node ${process.versions.node})\n`
}

/** Tells an error in one line; anything that is not for a person is our bug and shows where. */
function tell(error: unknown): void {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return
    process.exitCode = usageExit
    process.stderr.write(`fpstack: ${told(error)}; see fpstack --help\n`)
    return
  }
  const known = error instanceof FpstackError ? error : systemFailure(error)
  process.exitCode = known?.code === 'usage' ? usageExit : 1
  const text = known !== undefined ? known.message : `a bug of fpstack, please report it: ${stackOf(error)}`
  process.stderr.write(`fpstack: ${known === undefined ? text : printable(text)}\n`)
}

/** commander tells of an unknown topic of help by showing the help, and says nothing. */
function told(error: CommanderError): string {
  if (error.message === '(outputHelp)') return 'no such command'
  return printable(error.message.replace(/^error: /, '').replaceAll('\n', ' '))
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : errorText(error)
}

function hostOf(): Host {
  const wantsColours = process.env.NO_COLOR === undefined || process.env.NO_COLOR === ''
  return {
    out: process.stdout,
    err: process.stderr,
    get input() {
      return inForeground() ? process.stdin : new PassThrough()
    },
    colours: process.stdout.isTTY === true && wantsColours && process.env.TERM !== 'dumb',
    folder: dirname(__filename),
    pid: process.pid,
    version: FPSTACK_VERSION,
    onSignal(names, call) {
      const heard = names.filter((name) => name !== 'SIGHUP' || !ignores(constants.signals.SIGHUP))
      for (const name of heard) process.on(name, call)
      return () => {
        for (const name of heard) process.off(name, call)
      }
    },
    abort: (exitCode) => process.exit(exitCode),
  }
}

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  process.stderr.write(
    `fpstack: start Node ${process.versions.node}: too old; fpstack needs Node ${oldestNode} or later\n`,
  )
  process.exitCode = 1
} else {
  // A reader that has gone is told as an error of the write; the stream's own event needs an ear all the same.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  main(process.argv.slice(2), hostOf()).catch(tell)
}
