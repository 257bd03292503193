import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootGuest, type Guest } from '../../qemu/guest.ts'
import { leftInKernel } from './held-by-kernel.ts'

/** What a person may get wrong or a board may lack. The kernels' own refusals are in board-suite.ts. */
let guest: Guest
beforeAll(async () => {
  guest = await bootGuest({ arch: 'arm64', kernel: '6.12' })
})
afterAll(() => guest?.close())

const event = 'kprobe:do_sys_openat2'

async function shell(script: string): Promise<{ code: number | null; stderr: string; stdout: string }> {
  return guest.run(['sh', '-c', script], { timeoutMs: 120_000 })
}

async function expectError(script: string, code: number, line: string | RegExp): Promise<void> {
  const run = await shell(script)
  expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code, stderr: expect.stringMatching(line) })
  const said = run.stderr.split('\n').filter((text) => text.startsWith('fpstack: '))
  expect(said.length, run.stderr).toBe(1)
  expect(run.stderr).not.toMatch(/^\s+at /m)
  expect(await leftInKernel(guest)).toEqual([])
}

test.each([
  ['fpstack nonsense', /unknown command 'nonsense'/],
  ['fpstack trace --nonsense', /unknown option '--nonsense'/],
  ['fpstack trace', /no event to trace/],
  ['fpstack trace nonsense:x', /no kind of event is called "nonsense"; the kinds are kprobe, tracepoint, profile$/m],
  ['fpstack trace kprobe:', /kprobe:: not of the form kprobe:FUNCTION\[\+OFFSET\]/],
  ['fpstack trace profile:hz:0', /the rate has to be from 1 to/],
  [`fpstack trace ${event} --duration 5s`, /--duration 5s: not a number of seconds/],
  [`fpstack trace ${event} --count -1`, /--count/],
  [`fpstack trace ${event} --depth 128`, /--depth 128: not a whole number from 1 to 127/],
  [`fpstack trace ${event} --pid 0`, /--pid 0: not a whole number/],
  [`fpstack trace ${event} --format yaml`, /--format yaml: no such format; the formats are text, folded, json/],
  [`fpstack trace ${event} --kernel-only --user-only`, /'--kernel-only' cannot be used with option '--user-only'/],
])('usage: %s', async (script, line) => {
  await expectError(script, 2, line)
})

test.each([
  [`fpstack trace ${event} --pid 99999`, /find process 99999: no process has that pid/],
  [`fpstack trace ${event} -- /no/such/command`, /start \/no\/such\/command: no such command/],
  [`fpstack trace ${event} --duration 1 -o /no/such/folder/x`, /write \/no\/such\/folder\/x: ENOENT/],
  [
    `fpstack trace ${event} --duration 1 > /dev/full`,
    /write standard output: ENOSPC: no space left on device; make room/,
  ],
  [`fpstack trace kprobe:do_sys_openat2+2`, /no probe can be set 2 bytes into do_sys_openat2/],
])('failure: %s', async (script, line) => {
  await expectError(script, 1, line)
})

test('a result that its file cannot take is still shown', async () => {
  const run = await shell(`fpstack trace ${event} --duration 1 -o /dev/full`)
  expect(run.code).toBe(1)
  expect(run.stdout).toMatch(/\d+ events = \d+ counted \+ 0 lost/)
  expect(run.stderr).toContain('write /dev/full: ENOSPC')
})

test('a reader that goes away is told, and nothing hangs', async () => {
  const run = await shell(`{ fpstack trace profile:hz:99 --duration 1 --format json; echo "code $?" >&2; } | true`)
  expect(run.stderr).toContain('write standard output: EPIPE: broken pipe; whatever read it has ended')
  expect(run.stderr).toContain('code 1')
})

test('a folder that is not whole, or not for this board', async () => {
  const copy = 'rm -rf /tmp/copy && cp -r /opt/fpstack /tmp/copy && cd /tmp/copy'
  const trace = `./fpstack.cjs trace ${event} --duration 1`
  await expectError(
    `${copy} && rm stacks.bpf.o && ${trace}`,
    1,
    /open \/tmp\/copy\/stacks.bpf.o: it is not beside fpstack.cjs/,
  )
  await expectError(
    `${copy} && rm fpstack.node && ${trace}`,
    1,
    /load \/tmp\/copy\/fpstack.node: it is not beside fpstack.cjs/,
  )
  await expectError(`${copy} && echo junk > fpstack.node && ${trace}`, 1, /fpstack.node: not an ELF file/)
  // e_machine at byte 18: 62 is x86_64.
  const foreign = "printf '\\076' | dd of=fpstack.node bs=1 seek=18 conv=notrunc 2>/dev/null"
  await expectError(
    `${copy} && ${foreign} && ${trace}`,
    1,
    /built for x86_64, this Node is arm64; copy dist\/linux-arm64/,
  )
  for (const bytes of [0, 40, 64, 1000, 9000, 20000]) {
    const cut = `dd if=/opt/fpstack/stacks.bpf.o of=stacks.bpf.o bs=1 count=${bytes} 2>/dev/null`
    await expectError(`${copy} && ${cut} && ${trace}`, 1, /open stacks.bpf.o: not a whole BPF object/)
  }
})

test('a board without tracefs, BTF or both still has kprobes', async () => {
  await shell('umount /sys/kernel/debug/tracing; umount /sys/kernel/tracing; umount /sys/kernel/debug; true')
  await expectError('fpstack trace tracepoint:sched:sched_switch', 1, /tracefs is not mounted; mount -t tracefs/)
  await shell('mkdir -p /tmp/none && mount -t tmpfs none /sys/kernel/btf')
  const run = await shell(`fpstack trace ${event} --comm static_demo -- static_demo 20 20`)
  expect(run.stdout).toContain('20 events = 20 counted + 0 lost; 1 distinct stack')
  await shell('umount /sys/kernel/btf; mount -t tracefs tracefs /sys/kernel/tracing')
})

test('a second Ctrl-C ends at once', async () => {
  let armed = (): void => {}
  const isArmed = new Promise<void>((resolve) => {
    armed = resolve
  })
  // COMMAND ignores SIGTERM, so that the first Ctrl-C has something to wait for.
  const stubborn = ['sh', '-c', "trap '' TERM INT; while :; do sleep 1; done"]
  const command = await guest.start(['fpstack', 'trace', event, '--', ...stubborn], { onStderr: () => armed() })
  await isArmed
  await command.kill('SIGINT')
  await new Promise((resolve) => setTimeout(resolve, 300))
  await command.kill('SIGINT')
  expect((await command.done).code).toBe(130)
  await shell('pkill -9 -f "trap" || true')
  expect(await leftInKernel(guest)).toEqual([])
})

test('--dry-run prints the plan and asks the kernel nothing', async () => {
  const run = await guest.run(['fpstack', 'trace', event, '--comm', 'x', '--dry-run'], { uid: 1000 })
  expect(run.code).toBe(0)
  expect(JSON.parse(run.stdout)).toMatchObject({
    object: 'stacks.bpf.o',
    events: [{ kind: 'kprobe', target: { symbol: 'do_sys_openat2', offset: 0 }, program: 'on_kprobe' }],
    comms: ['x'],
  })
})

/** Last: lockdown is for the rest of a boot. */
test('a kernel that is locked down', async () => {
  await shell('mount -t securityfs none /sys/kernel/security; echo confidentiality > /sys/kernel/security/lockdown')
  const run = await shell(`fpstack trace ${event} --duration 1`)
  expect(run.code).toBe(1)
  expect(run.stderr).toContain('the kernel is locked down (confidentiality); boot it with lockdown=none')
})
