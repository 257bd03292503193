import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Command } from 'commander'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { trace } from '../../../runner/commands/trace.ts'
import { planTrace } from '../../../runner/plan/trace-plan.ts'
import type { Host } from '../../../runner/types.ts'
import { FakeAddon } from '../session/fake-addon.ts'
import { madeKey, madeRecord } from '../session/made-records.ts'

const board = vi.hoisted(() => ({ addon: undefined as unknown }))
vi.mock('../../../runner/native.ts', () => ({ loadAddon: () => board.addon }))
vi.mock('../../../runner/kernel/kallsyms.ts', async (original) => {
  const { indexKallsyms } = await original<typeof import('../../../runner/kernel/kallsyms.ts')>()
  return { readKallsyms: () => indexKallsyms(Buffer.from('ffff800080000000 T do_sys_openat2\n')) }
})

const failed = (message: string) => expect.objectContaining({ code: 'failure', message })

let folder: string
let addon: FakeAddon
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpstack-trace-'))
  writeFileSync(join(folder, 'stacks.bpf.o'), 'object')
  addon = new FakeAddon()
  board.addon = addon
})
afterEach(() => rmSync(folder, { recursive: true }))

/** One stack of 9 events, after which the limit ends the trace. */
function counted(): void {
  addon.batches.push([madeRecord({ stack: 0 })])
  addon.counts.push([madeKey({ stack: 0 }), 9])
  addon.totals = [[9, 9, 0, 0]]
  addon.taken = 9n
}

interface Ran {
  readonly out: string
  readonly err: string
  readonly error: unknown
}

/** As main.ts runs it: argv through commander, to what a person sees. */
async function run(...argv: string[]): Promise<Ran> {
  const bar = argv.indexOf('--')
  const [own, rest] = bar < 0 ? [argv, []] : [argv.slice(0, bar), argv.slice(bar + 1)]
  const [out, err] = [new PassThrough(), new PassThrough()]
  const host: Host = {
    ...{ out, err, input: new PassThrough(), colours: false, folder, pid: process.pid, version: '0' },
    onSignal: () => () => {},
    abort: () => expect.unreachable(),
  }
  const command = new Command('trace')
    .argument('[operand...]')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  trace.configure(command)
  command.action((operands: string[], options: Record<string, unknown>) => trace.run(host, operands, options, rest))
  const error = await command.parseAsync(own, { from: 'user' }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return { out: String(out.read() ?? ''), err: String(err.read() ?? ''), error }
}

test('a dry run prints the plan and touches nothing', async () => {
  const { out, err, error } = await run('kprobe:vfs_read', '--comm', 'a', '--comm', 'b', '--count', '5', '--dry-run')
  expect(error).toBeUndefined()
  expect(err).toBe('')
  const bigAsText = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)
  const plan = planTrace(['kprobe:vfs_read'], { comm: ['a', 'b'], count: '5' }, [])
  expect(out).toBe(`${JSON.stringify(plan, bigAsText, 2)}\n`)
  expect(addon.calls).toEqual([])
})

test('a trace from its arming to its result', async () => {
  counted()
  const { out, err, error } = await run('profile:hz:99', '--count', '9')
  expect(error).toBeUndefined()
  expect(err).toBe('tracing profile:hz:99; ends after 9 events or at Ctrl-C\n')
  expect(out).toBe(`\
9 (100.0 %)  demo, pid 4711
  kernel  do_sys_openat2
  user    0xaaaa00000000

9 events = 9 counted + 0 lost; 1 distinct stack
`)
  expect(addon.leaked).toEqual([])
})

test('what is written to a file is not on standard output', async () => {
  counted()
  const path = join(folder, 'result.json')
  const { out, error } = await run('profile:hz:99', '--count', '9', '--format', 'json', '-o', path)
  expect(error).toBeUndefined()
  expect(out).toBe('')
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
    ...{ events: ['profile:hz:99'], depth: 127, kernelRelease: release(), arch: arch() },
    stacks: [{ event: 'profile:hz:99', count: 9, pid: 4711, kernel: [{ symbol: 'do_sys_openat2', offset: '0x0' }] }],
  })
})

test('totals that the format has no place for go to standard error', async () => {
  counted()
  const { out, err } = await run('profile:hz:99', '--count', '9', '--format', 'folded')
  expect(out).toBe('demo;0xaaaa00000000;do_sys_openat2_[k] 9\n')
  expect(err.split('\n').slice(1)).toEqual(['9 events = 9 counted + 0 lost; 1 distinct stack', ''])
})

test('a result that its file cannot take is shown all the same', async () => {
  counted()
  const { out, error } = await run('profile:hz:99', '--count', '9', '--format', 'folded', '-o', '/dev/full')
  expect(out).toBe('demo;0xaaaa00000000;do_sys_openat2_[k] 9\n')
  expect(error).toEqual(
    failed('write /dev/full: ENOSPC: no space left on device; make room, or write to another place with -o'),
  )
})

test('an error on the way leaves neither a file nor anything in the kernel', async () => {
  addon.refusals.set('load object 1', -22)
  const path = join(folder, 'result')
  const { out, error } = await run('kprobe:vfs_read', '-o', path)
  expect(out).toBe('')
  expect(error).toEqual(failed('load stacks.bpf.o (on_kprobe): EINVAL: invalid argument; see --verbose'))
  expect(addon.leaked).toEqual([])
  expect(readdirSync(folder)).toEqual(['stacks.bpf.o'])
})

test('a file that cannot be made is told before anything is loaded', async () => {
  const path = join(folder, 'nowhere/result')
  const { error } = await run('kprobe:vfs_read', '-o', path)
  expect(error).toEqual(failed(`write ${path}: ENOENT: no such file or directory`))
  expect(addon.calls).toEqual([])
})

test('--verbose tells what libbpf said, after an error too', async () => {
  addon.log = 'libbpf: something odd\n'
  addon.refusals.set('listen to records', -12)
  expect((await run('kprobe:vfs_read', '--verbose')).err).toBe('libbpf: something odd\n')
  addon.log = 'libbpf: something odd\n'
  expect((await run('kprobe:vfs_read')).err).toBe('')
})

test('the trace ends with COMMAND, whose end it does not wait for twice', async () => {
  const { out, err, error } = await run('kprobe:vfs_read', '--', 'true', '--count')
  expect(error).toBeUndefined()
  expect(err).toBe('tracing kprobe:vfs_read; ends with true or at Ctrl-C\n')
  expect(out).toBe('0 events = 0 counted + 0 lost; 0 distinct stacks\n')
  expect(addon.leaked).toEqual([])
})

test('a COMMAND that cannot be started ends the trace with that error', async () => {
  const path = join(folder, 'result')
  const { out, error } = await run('kprobe:vfs_read', '-o', path, '--', '/no/such/command')
  expect(error).toEqual(failed('start /no/such/command: no such command'))
  expect(out).toBe('')
  expect(existsSync(path)).toBe(false)
  expect(addon.leaked).toEqual([])
})

test('when the limit is reached COMMAND is asked to end', async () => {
  counted()
  const began = performance.now()
  const { out, error } = await run('profile:hz:99', '--count', '9', '--', 'sleep', '60')
  expect(error).toBeUndefined()
  expect(out).toContain('9 events = 9 counted')
  expect(performance.now() - began).toBeLessThan(30_000)
})

test('the duration ends it', async () => {
  const { err, error } = await run('kprobe:vfs_read', '--duration', '0.05')
  expect(error).toBeUndefined()
  expect(err).toBe('tracing kprobe:vfs_read; ends after 0.05 s or at Ctrl-C\n')
})

test('a process that is not there is told before anything is loaded', async () => {
  const { error } = await run('kprobe:vfs_read', '--pid', '4194304')
  expect(error).toEqual(failed('find process 4194304: no process has that pid; it may have ended; see ps'))
  expect(addon.calls).toEqual([])
})

test.each<[string[], string]>([
  [['kprobe:vfs_read', '--format', 'svg'], 'read --format svg: no such format; the formats are text, folded, json'],
  [['kprobe:vfs_read', '--depth', '200'], 'read --depth 200: not a whole number from 1 to 127'],
  [[], 'read the command line: no event to trace; for example fpstack trace kprobe:do_sys_openat2'],
  [
    ['kprobe:vfs_read', '--kernel-only', '--user-only'],
    "error: option '--kernel-only' cannot be used with option '--user-only'",
  ],
])('%j is a usage error', async (argv, message) => {
  const { error } = await run(...argv)
  expect(error).toMatchObject({ message })
  expect(addon.calls).toEqual([])
})
