import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootGuest, type Guest, type GuestOptions } from '../../qemu/guest.ts'
import { archOf } from '../../scripts/cross/arch.ts'

/**
 * What the test programs claim of themselves, seen by the kernel's own tracer, which
 * has no part of ours in it: all other tests lean on these chains.
 */
const minute = 60_000
const chain = [
  'demo_open_configuration_file',
  'demo_load_configuration',
  'demo_handle_request',
  'demo_serve_requests',
  'main',
]

describe.each<GuestOptions>([
  { arch: 'arm64', kernel: '6.12' },
  { arch: 'x64', kernel: '6.12' },
])('test programs on $arch', { timeout: minute }, (options) => {
  let guest: Guest
  beforeAll(async () => {
    guest = await bootGuest(options)
  }, 5 * minute)
  afterAll(() => guest.close())

  /** The stacks of every openat of a program, innermost first, by the names of its own functions. */
  async function opensOf(program: string, ...args: string[]): Promise<string[][]> {
    const script = `cd /sys/kernel/tracing && echo > trace && echo 1 > options/userstacktrace
      echo 1 > events/syscalls/sys_enter_openat/enable && "$@" && echo 0 > events/syscalls/sys_enter_openat/enable
      cat trace`
    const { code, stdout } = await guest.run(['sh', '-c', script, 'sh', program, ...args])
    expect(code).toBe(0)
    const nameOf = functionsOf(options, program)
    return stdout
      .split(new RegExp(`^ *${program}-\\d+ .*sys_openat.*\\n.*<user stack trace>\\n`, 'm'))
      .slice(1)
      .map((text) =>
        [...text.matchAll(/^ => +<([0-9a-f]+)>$/gm)].map(([, hex]) => nameOf(Number.parseInt(hex ?? '', 16))),
      )
  }

  test('static_demo: each open has the whole chain, and there is no other open', async () => {
    const stacks = await opensOf('static_demo', '5', '1')
    expect(stacks.length).toBe(5)
    for (const stack of stacks) expect(stack.slice(0, chain.length)).toEqual(chain)
  })

  test('nofp_demo: its own frames are not to be found', async () => {
    const stacks = await opensOf('nofp_demo', '5', '1')
    expect(stacks.length).toBe(5)
    for (const stack of stacks) expect(stack.filter((name) => chain.includes(name))).not.toEqual(chain)
  })

  test('forker: each child opens one file', async () => {
    const stacks = await opensOf('forker', '4')
    expect(stacks.length).toBe(4)
    for (const stack of stacks) expect(stack.slice(0, 4)).toEqual([...chain.slice(0, 3), 'forker_make_child'])
  })

  test.each(['pie_demo', 'stripped_demo', 'static_demo', 'nofp_demo'])('%s tells how often it opened', async (name) => {
    expect((await guest.run([name, '3', '0'])).stdout).toMatch(new RegExp(`^${name}: 3 opens by pid \\d+\\n$`))
  })

  test('a signal ends a demo in order', async () => {
    const script = `static_demo & until grep -q '^SigCgt:.*4002$' /proc/$!/status; do :; done; kill -TERM $!; wait $!`
    expect(await guest.run(['sh', '-c', script])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^static_demo: \d+ opens by pid \d+\n$/),
    })
  })

  test('stripped_demo keeps only what its library exports', () => {
    const folder = `build/programs/${options.arch}`
    const nm = (...args: string[]) =>
      execFileSync(`${archOf(options.arch).gnu}nm`, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    expect(nm(`${folder}/stripped_demo`)).toBe('')
    expect(nm('--defined-only', '--dynamic', `${folder}/libdemo_stripped.so`)).toMatch(
      /^\w+ T demo_load_configuration$/m,
    )
    expect(nm('--dynamic', `${folder}/libdemo_stripped.so`)).not.toContain('demo_open_configuration_file')
  })

  test('run_as leaves a user with these capabilities and no others', async () => {
    const { stdout } = await guest.run(['run_as', '1000', 'bpf,perfmon', 'cat', '/proc/self/status'])
    expect(stdout).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m)
    for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'])
      expect(stdout).toMatch(new RegExp(`^Cap${set}:\t000000c000000000$`, 'm'))
    expect((await guest.run(['run_as', '1000', 'none', 'grep', 'CapEff', '/proc/self/status'])).stdout).toBe(
      'CapEff:\t0000000000000000\n',
    )
    expect(await guest.run(['run_as', '1000', 'nosuch', 'id'])).toMatchObject({ code: 125 })
  })
})

function functionsOf({ arch }: GuestOptions, program: string): (address: number) => string {
  const symbols = execFileSync(`${archOf(arch).gnu}nm`, ['--numeric-sort', `build/programs/${arch}/${program}`])
    .toString()
    .split('\n')
    .map((row) => row.split(' '))
    .filter(([, type]) => /^[Tt]$/.test(type ?? ''))
    .map(([address = '', , name = '']) => ({ address: Number.parseInt(address, 16), name }))
  return (address) => symbols.findLast((symbol) => symbol.address <= address)?.name ?? 'nothing'
}
