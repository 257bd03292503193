import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootGuest, type Guest } from '../../qemu/guest.ts'
import type { KernelName } from '../../qemu/kernels/index.ts'
import type { Arch } from '../../scripts/cross/arch.ts'
import { demoChain, openChain, startChain } from './chains.ts'
import { heldByKernel, leftInKernel } from './held-by-kernel.ts'
import { readTrace, symbols, totalOf, traceJson } from './trace-json.ts'

const open = 'kprobe:do_sys_openat2'
const demo = '/opt/programs/static_demo'

/** What holds on every kernel. */
export function boardSuite(arch: Arch['name'], kernel: KernelName): void {
  describe(`${arch} ${kernel}`, () => {
    let guest: Guest
    beforeAll(async () => {
      guest = await bootGuest({ arch, kernel })
      process.stdout.write(`board ${arch} ${kernel}: ${guest.release}\n`)
    })
    afterAll(() => guest?.close())

    test('N opens are N events, of one stack that is whole', async () => {
      const trace = await traceJson(guest, [open, '--comm', 'static_demo', '--', demo, '137', '0'])
      expect(trace.totals).toMatchObject({ seen: 137, counted: 137 })
      expect(trace.stacks.map(({ count, comm }) => [count, comm])).toEqual([[137, 'static_demo']])
      const [stack] = trace.stacks
      expect(symbols(stack?.kernel ?? []).join(' ')).toMatch(openChain[arch])
      expect(stack?.kernel[0]?.offset).toBe('0x0')
      expect(symbols(stack?.user ?? [])).toEqual([...demoChain, ...startChain[arch]])
      expect(new Set(stack?.user.map((frame) => frame.object))).toEqual(new Set([demo]))
    })

    test('events are counted apart, tracepoints as well', async () => {
      const point = 'tracepoint:syscalls:sys_enter_openat'
      const trace = await traceJson(guest, [open, point, '--comm', 'static_demo', '--', demo, '60', '0'])
      expect(trace.totals.seen).toBe(120)
      for (const event of [open, point]) {
        const stacks = trace.stacks.filter((stack) => stack.event === event)
        expect(totalOf(stacks)).toBe(60)
        for (const stack of stacks) expect(symbols(stack.user).slice(0, 5)).toEqual(demoChain)
      }
    })

    test('a tracepoint has its kernel chain once, from the place that passes it', async () => {
      const event = 'tracepoint:sched:sched_process_exit'
      const trace = await traceJson(guest, [event, '--kernel-only', '--comm', 'static_demo', '--', demo, '1', '0'])
      expect(trace.totals.seen).toBe(1)
      const chain = symbols(trace.stacks[0]?.kernel ?? [])
      expect(chain).toContain('do_exit')
      expect(chain).toContain('do_group_exit')
      expect(new Set(chain).size).toBe(chain.length)
      expect(trace.stacks[0]?.user).toEqual([])
    })

    test('a profile samples the demo, in and below its chain', async () => {
      const busy = await guest.start([demo, '0', '0'])
      const trace = await traceJson(guest, ['profile:hz:499', '--pid', String(busy.pid), '--duration', '1'])
      await busy.kill('SIGTERM')
      await busy.done
      expect(trace.totals.seen).toBeGreaterThan(10)
      const known = new Set([...demoChain, 'close', '__close'])
      const inChain = trace.stacks.filter((stack) => symbols(stack.user).includes('demo_serve_requests'))
      expect(totalOf(inChain)).toBeGreaterThan(trace.totals.counted / 2)
      for (const stack of inChain) {
        const names = symbols(stack.user)
        for (const name of names.slice(0, names.indexOf('main') + 1)) expect(known).toContain(name)
      }
    })

    test('a filter that excludes counts nothing', async () => {
      const trace = await traceJson(guest, [open, '--comm', 'somebody_else', '--', demo, '20', '0'])
      expect(trace).toMatchObject({ totals: { seen: 0, counted: 0 }, stacks: [] })
    })

    test('--pid takes one process of two, --count ends it', async () => {
      const other = await guest.start([demo])
      const wanted = await guest.start([demo])
      const trace = await traceJson(guest, [open, '--pid', String(wanted.pid), '--count', '25'])
      await Promise.all([other, wanted].map((command) => command.kill('SIGTERM')))
      await Promise.all([other.done, wanted.done])
      expect(new Set(trace.stacks.map((stack) => stack.pid))).toEqual(new Set([wanted.pid]))
      expect(trace.totals.seen).toBe(25)
    })

    test('a stack that the kernel itself cuts is told as cut', async () => {
      await guest.run(['sh', '-c', 'echo 4 > /proc/sys/kernel/perf_event_max_stack'])
      const trace = await traceJson(guest, [open, '--comm', 'static_demo', '--', demo, '5', '20'])
      await guest.run(['sh', '-c', 'echo 127 > /proc/sys/kernel/perf_event_max_stack'])
      expect(trace.stacks[0]).toMatchObject({ count: 5, kernelCut: true, userCut: true })
      expect(symbols(trace.stacks[0]?.user ?? [])).toEqual(demoChain.slice(0, 4))
    })

    test('two programs under one name, at the same addresses, keep their own names', async () => {
      // Both programs are static, at the same addresses, and under one name.
      await guest.run(['sh', '-c', 'mkdir -p /tmp/a /tmp/b; cp /opt/programs/static_demo /tmp/a/prog'])
      await guest.run(['sh', '-c', 'cp /opt/programs/nofp_demo /tmp/b/prog'])
      const script = 'exec /tmp/a/prog 3 0'
      const next = `sh -c '${script}'; exec /tmp/b/prog 2 0`
      const trace = await traceJson(guest, [open, '--user-only', '--comm', 'prog', '--', 'sh', '-c', next])
      expect(trace.totals.seen).toBe(5)
      for (const stack of trace.stacks) {
        const objects = new Set(stack.user.map((frame) => frame.object ?? ''))
        expect(objects.size).toBe(1)
        const names = symbols(stack.user)
        if (objects.has('/tmp/a/prog')) expect(names.slice(0, 5)).toEqual(demoChain)
        else expect(names[0]).toBe('demo_open_configuration_file')
      }
    })

    test('--depth cuts both sides and says so, --per-thread names the thread', async () => {
      const args = [open, '--depth', '3', '--per-thread', '--comm', 'static_demo', '--', demo, '5', '100']
      const [stack] = (await traceJson(guest, args)).stacks
      expect(stack).toMatchObject({ count: 5, kernelCut: true, userCut: true, tid: stack?.pid })
      expect(symbols(stack?.user ?? [])).toEqual(demoChain.slice(0, 3))
    })

    test('a PIE and its library, and what is left of them when stripped', async () => {
      for (const program of ['pie_demo', 'stripped_demo']) {
        const args = [open, '--user-only', '--comm', program, '--', `/opt/programs/${program}`, '30', '20']
        const trace = await traceJson(guest, args)
        const stacks = trace.stacks.filter((stack) => symbols(stack.user).includes('demo_load_configuration'))
        expect(totalOf(stacks)).toBe(30)
        const [stack] = stacks
        const library = stack?.user.find((frame) => frame.symbol === 'demo_load_configuration')
        expect(library?.object).toMatch(/^\/opt\/programs\/libdemo.*\.so$/)
        const above = stack?.user.filter((frame) => frame.object === `/opt/programs/${program}`) ?? []
        // Stripped, a frame is a place in the object, never a name that is not its own.
        if (program === 'pie_demo') expect(symbols(above).slice(0, 3)).toEqual(demoChain.slice(2))
        else expect(above.map((frame) => frame.symbol)).toEqual(above.map(() => undefined))
        expect(above.length).toBeGreaterThanOrEqual(3)
      }
    })

    test('processes that end at once are named all the same', async () => {
      const trace = await traceJson(guest, [
        open,
        '--user-only',
        '--comm',
        'forker',
        '--',
        '/opt/programs/forker',
        '20',
      ])
      expect(trace.totals.seen).toBe(20)
      expect(new Set(trace.stacks.map((stack) => stack.pid)).size).toBe(20)
      for (const stack of trace.stacks) expect(symbols(stack.user).slice(0, 3)).toEqual(demoChain.slice(0, 3))
    })

    test('without frame pointers the stack is short, and nothing in it is made up', async () => {
      const args = [open, '--user-only', '--comm', 'nofp_demo', '--', '/opt/programs/nofp_demo', '30', '20']
      const trace = await traceJson(guest, args)
      expect(trace.totals.seen).toBe(30)
      for (const stack of trace.stacks) {
        const names = symbols(stack.user)
        expect(names[0]).toBe('demo_open_configuration_file')
        const rest = names.slice(1)
        expect(rest.filter((name) => ![...demoChain, ...startChain.arm64].includes(name))).toEqual([])
      }
    })

    test('SIGINT, SIGTERM, kill -9 and the end of COMMAND leave nothing in the kernel', async () => {
      expect(await leftInKernel(guest)).toEqual([])
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
        const argv = ['fpstack', 'trace', open, 'profile:hz:99', '--format', 'json', '-o', '/tmp/trace.json']
        let armed = (): void => {}
        const isArmed = new Promise<void>((resolve) => {
          armed = resolve
        })
        const trace = await guest.start(argv, { onStderr: () => armed() })
        await Promise.race([isArmed, trace.done])
        expect((await heldByKernel(guest)).programs.length).toBeGreaterThanOrEqual(2)
        await trace.kill(signal)
        const { code, signal: died } = await trace.done
        expect([code, died]).toEqual(signal === 'SIGKILL' ? [null, 'SIGKILL'] : [0, null])
        if (signal !== 'SIGKILL') expect((await readTrace(guest)).totals.seen).toBeGreaterThan(0)
        expect(await leftInKernel(guest)).toEqual([])
      }
      await traceJson(guest, [open, '--', 'true'])
      expect(await leftInKernel(guest)).toEqual([])
    })

    test('a function this kernel lacks is answered with the nearest, one it guards with why', async () => {
      const entry = arch === 'arm64' ? '__arm64_sys_openat' : '__x64_sys_openat'
      const absent = await guest.run(['fpstack', 'trace', 'kprobe:sys_openat'])
      expect(absent.code).toBe(1)
      expect(absent.stderr).toContain(
        `attach kprobe:sys_openat: this kernel has no such function; did you mean ${entry}`,
      )
      const renamed = await guest.run(['fpstack', 'trace', 'kprobe:do_sys_opena'])
      expect(renamed.stderr).toContain('did you mean do_sys_openat2')
      const point = await guest.run(['fpstack', 'trace', 'tracepoint:sched:sched_swich'])
      expect(point.stderr).toContain('this kernel has no such tracepoint; did you mean sched:sched_switch')
      const guarded = await guest.run(['fpstack', 'trace', 'kprobe:preempt_schedule_notrace', 'kprobe:vfs_read'])
      expect(guarded.stderr).toMatch(
        /^fpstack: attach kprobe:\S+: this kernel (lets no probe be set on that|has no such) function/m,
      )
      expect(await leftInKernel(guest)).toEqual([])
    })

    test('a user with CAP_BPF and CAP_PERFMON is enough, without them it is told which lack', async () => {
      // Debian's default of 3 is for CAP_SYS_ADMIN alone.
      await guest.run(['sh', '-c', 'echo 2 > /proc/sys/kernel/perf_event_paranoid'])
      const denied = await guest.run(['fpstack', 'trace', open, '--duration', '1'], { uid: 1000 })
      expect(denied.code).toBe(1)
      expect(denied.stderr).toMatch(
        /: not permitted: cap_bpf and cap_perfmon are lacking; run it as root or with cap_bpf/,
      )
      // Before 5.11 maps count against RLIMIT_MEMLOCK, which only CAP_SYS_RESOURCE raises.
      const extra = kernel === '5.10' ? ',sys_resource' : ''
      const argv = ['/opt/programs/run_as', '1000', `bpf,perfmon${extra}`, 'fpstack', 'trace', open, '--format', 'json']
      const granted = await guest.run([
        ...argv,
        '--comm',
        'static_demo',
        '-o',
        '/tmp/user.json',
        '--',
        demo,
        '40',
        '15',
      ])
      expect(granted.stderr).not.toContain('not permitted')
      const trace = JSON.parse((await guest.run(['cat', '/tmp/user.json'])).stdout)
      expect(trace.totals).toMatchObject({ seen: 40, counted: 40 })
      expect(symbols(trace.stacks[0].user).slice(0, 5)).toEqual(demoChain)
    })

    test('hidden kernel addresses are told with the remedy', async () => {
      await guest.run(['sh', '-c', 'echo 2 > /proc/sys/kernel/kptr_restrict'])
      const run = await guest.run(['fpstack', 'trace', open, '--comm', 'static_demo', '--', demo, '5', '100'])
      await guest.run(['sh', '-c', 'echo 0 > /proc/sys/kernel/kptr_restrict'])
      expect(run.stderr).toContain('/proc/kallsyms hides its addresses; sysctl kernel.kptr_restrict=0')
      expect(run.stdout).toMatch(/^ {2}kernel {2}0x[0-9a-f]+$/m)
      expect(run.stdout).toContain('5 events = 5 counted + 0 lost; 1 distinct stack')
    })
  })
}
