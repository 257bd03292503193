import { arch, release } from 'node:os'
import { Option } from 'commander'
import { FpstackError } from '../errors.ts'
import { hottestFirst } from '../fold.ts'
import { formatNames, formatOf } from '../formats/index.ts'
import { printable } from '../formats/printable.ts'
import { totalsLine } from '../formats/totals-line.ts'
import { type Kallsyms, readKallsyms } from '../kernel/kallsyms.ts'
import { requireProcess } from '../kernel/processes.ts'
import { loadAddon } from '../native.ts'
import { fileOutput, type Output, streamOutput } from '../output.ts'
import { planTrace, type TraceOptions } from '../plan/trace-plan.ts'
import { watchForEnd } from '../session/ending.ts'
import { type Harvest, Session } from '../session/session.ts'
import { startWorkload } from '../session/workload.ts'
import { eventUsage } from '../sources/index.ts'
import { nameKernel } from '../symbols/kernel-names.ts'
import { UserNames } from '../symbols/user-names.ts'
import type { Host, Report, Stack, TracePlan } from '../types.ts'
import type { CommandModule } from './command.ts'

interface Options extends TraceOptions {
  readonly format: string
  readonly output?: string
  readonly verbose?: boolean
  readonly dryRun?: boolean
}

export const trace: CommandModule = {
  configure(command) {
    const repeated = (value: string, before: readonly string[] = []): string[] => [...before, value]
    command
      .option('--comm <name>', 'only threads of that name (the first 15 bytes of it); may be repeated', repeated)
      .option('--pid <n>', 'only that process; may be repeated', repeated)
      .option('--duration <seconds>', 'end after that time')
      .option('--count <n>', 'end after that many events (a few more where CPUs race for the last)')
      .addOption(new Option('--kernel-only', 'take no user stacks').conflicts('userOnly'))
      .option('--user-only', 'take no kernel stacks')
      .option('--per-thread', 'count the threads of a process apart')
      .option('--depth <n>', 'frames a side, 127 at most and by default')
      .option('--format <name>', `one of ${formatNames.join(', ')}`, 'text')
      .option('-o, --output <file>', 'write the result there instead of to standard output')
      .option('--verbose', 'tell on standard error what libbpf and the verifier say')
      .option('--dry-run', 'print what would be done, and do nothing')
      .addHelpText('after', () => ['', 'Events:', ...eventUsage().map((line) => `  ${line}`), '', ending].join('\n'))
  },

  async run(host, operands, given, rest) {
    const options = given as unknown as Options
    const format = formatOf(options.format)
    const plan = planTrace(operands, options, rest)
    if (options.dryRun) return streamOutput(host.out, 'standard output').write([planText(plan)])
    for (const tgid of plan.tgids) requireProcess(tgid)

    const output =
      options.output === undefined ? streamOutput(host.out, 'standard output') : await fileOutput(options.output)
    const names = new UserNames()
    try {
      const harvest = await record(host, plan, names, options.verbose === true)
      const report = nameAll(plan, harvest, names, kernelNames(host, harvest))
      const pieces = [...format.render(report, host.colours && options.output === undefined)]
      await deliver(host, output, options.output, pieces)
      for (const [path, why] of names.troubles())
        host.err.write(`frames in ${printable(path)} stay without names: ${why}\n`)
      if (!format.tellsTotals) host.err.write(`${totalsLine(report)}\n`)
    } finally {
      names.close()
      await output.discard()
    }
  },
}

const ending = `A trace ends at Ctrl-C, SIGTERM, Enter on a terminal, --duration, --count or the end of
COMMAND, which starts once the probes are armed. COMMAND only says how long: events of
every process count unless --comm or --pid narrows them. fpstack leaves itself out.`

/** Runs the live half: everything kernel is gone again when it returns or throws. */
async function record(host: Host, plan: TracePlan, names: UserNames, verbose: boolean): Promise<Harvest> {
  const session = new Session(loadAddon(host.folder), plan)
  const ends = watchForEnd(host, plan, () => session.stop())
  try {
    session.open(host.folder, host.pid)
    session.attach()
    ends.armed()
    tellArmed(host, plan)
    const workload = plan.command.length === 0 ? undefined : startWorkload(plan.command)
    const stop = () => session.stop()
    // That it could not be started is told by terminate.
    workload?.ended.then(stop, stop)
    for await (const batch of session.drain()) names.observe(batch)
    const harvest = finish(session, names)
    await workload?.terminate()
    return harvest
  } finally {
    ends.release()
    session.close()
    if (verbose) host.err.write(session.log.all())
  }
}

function finish(session: Session, names: UserNames): Harvest {
  const left = session.finish()
  for (;;) {
    const next = left.next()
    if (next.done) return next.value
    names.observe(next.value)
  }
}

function tellArmed(host: Host, plan: TracePlan): void {
  const ends = [
    plan.durationMs === undefined ? '' : `after ${plan.durationMs / 1000} s`,
    plan.eventLimit === undefined ? '' : `after ${plan.eventLimit} events`,
    plan.command.length === 0 ? '' : `with ${plan.command[0]}`,
    host.input.isTTY && plan.command.length === 0 ? 'at Enter' : '',
  ].filter((part) => part !== '')
  host.err.write(
    `tracing ${plan.events.map((event) => event.text).join(', ')}; ends ${[...ends, 'at Ctrl-C'].join(' or ')}\n`,
  )
}

/** Reads the names of the kernel only if a stack has kernel frames. */
function kernelNames(host: Host, harvest: Harvest): Kallsyms | undefined {
  if (!harvest.samples.some((sample) => sample.kernel.length > 0)) return undefined
  const kallsyms = readKallsyms()
  if (!kallsyms.addressesShown) {
    const remedy = 'sysctl kernel.kptr_restrict=0, or run it with cap_syslog'
    host.err.write(`kernel frames stay without names: /proc/kallsyms hides its addresses; ${remedy}\n`)
  }
  return kallsyms
}

function nameAll(plan: TracePlan, harvest: Harvest, names: UserNames, kallsyms: Kallsyms | undefined): Report {
  const stacks = harvest.samples.map((sample): Stack => {
    const { tgid, tid, comm, weight, kernelState, userState } = sample
    const event = plan.events[sample.event]
    const user = names.name(sample)
    if (event === undefined) throw new RangeError(`a record of event ${sample.event} of ${plan.events.length}`)
    return {
      event: event.text,
      ...{ tgid, tid, comm, weight, kernelState, userState },
      kernel: kallsyms === undefined ? [] : nameKernel(kallsyms, sample, event.innermost, arch()),
      user: user.frames,
      userStray: user.stray,
    }
  })
  return {
    events: plan.events.map((event) => event.text),
    stacks: hottestFirst(stacks),
    totals: harvest.totals,
    depth: plan.depth,
    kernelRelease: release(),
    arch: arch(),
  }
}

/** A result that its file cannot take is still shown: the events behind it will not come again. */
async function deliver(host: Host, output: Output, path: string | undefined, pieces: readonly string[]): Promise<void> {
  try {
    await output.write(pieces)
  } catch (error) {
    if (path === undefined || !(error instanceof FpstackError)) throw error
    await streamOutput(host.out, 'standard output').write(pieces)
    throw error
  }
}

function planText(plan: TracePlan): string {
  const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
  return `${JSON.stringify(plan, plain, 2)}\n`
}
