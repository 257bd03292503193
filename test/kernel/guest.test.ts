import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootGuest, Guest, type GuestOptions } from '../../qemu/guest.ts'
import { GuestError } from '../../qemu/guest-error.ts'
import { spawnQemu } from '../../qemu/qemu-process.ts'

const minute = 60_000

describe.each<GuestOptions>([
  { arch: 'arm64', kernel: '6.12' },
  { arch: 'x64', kernel: '6.1' },
])('commands on $arch $kernel', { timeout: minute }, (options) => {
  let guest: Guest
  beforeAll(async () => {
    guest = await bootGuest(options)
  }, 5 * minute)
  afterAll(() => guest.close())
  const sh = (script: string) => guest.run(['sh', '-c', script])

  test('the exit code, stdout and stderr come back apart', async () => {
    expect(await sh('echo out; echo err >&2; exit 7')).toMatchObject({
      code: 7,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
    })
  })

  test('a command that is not there says so and ends with 127', async () => {
    expect(await guest.run(['nosuch'])).toMatchObject({ code: 127, stderr: 'nosuch: No such file or directory\n' })
  })

  test('50 MB come through stdout intact', async () => {
    const bytes = 50 << 20
    const { bytes: came } = await sh(`yes 0123456789abcde | head -c ${bytes}`)
    expect(came.length).toBe(bytes)
    expect(digest(came)).toBe(digest(Buffer.alloc(bytes, '0123456789abcde\n')))
  })

  test('what a command wrote last is not lost at its end', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, at) => sh(`seq ${at} 5000`)))
    results.forEach(({ stdout }, at) => {
      expect(stdout.split('\n').at(-2)).toBe('5000')
      expect(stdout.split('\n').length).toBe(5002 - at)
    })
  })

  test('stdin arrives whole, and is empty where none is given', async () => {
    const stdin = Buffer.alloc(3 << 20, 'line of input\n')
    expect((await guest.run(['cat'], { stdin })).bytes.equals(stdin)).toBe(true)
    expect((await guest.run(['cat'])).stdout).toBe('')
  })

  test('a command that leaves its stdin unread does not hold anything up', async () => {
    const stdin = Buffer.alloc(1 << 20)
    expect(await guest.run(['sh', '-c', 'exec <&-; sleep 0.2; echo done'], { stdin })).toMatchObject({
      stdout: 'done\n',
    })
    const slow = await guest.start(['sleep', '30'], { stdin })
    expect((await sh('echo alive')).stdout).toBe('alive\n')
    slow.kill('SIGKILL')
    expect((await slow.done).signal).toBe('SIGKILL')
  })

  test('output nobody takes holds back its own command only', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let came = 0
    const flood = await guest.start(['sh', '-c', 'yes | head -c 2000000'], {
      onStdout: (chunk) => {
        came += chunk.length
        return held
      },
    })
    await sleep(500)
    expect((await sh('echo alive')).stdout).toBe('alive\n')
    expect(came).toBeLessThanOrEqual(256 << 10)
    release()
    expect((await flood.done).code).toBe(0)
    expect(came).toBe(2_000_000)
  })

  test('a signal reaches the whole process group', async () => {
    const command = await guest.start(['sh', '-c', "trap 'echo caught; exit 3' INT; echo ready; sleep 60 & wait"])
    expect(command.pid).toBeGreaterThan(1)
    await command.waitFor('stdout', /ready/)
    command.kill('SIGINT')
    expect(await command.done).toMatchObject({ code: 3, stdout: 'ready\ncaught\n' })
    const killed = await guest.start(['sleep', '60'])
    killed.kill('SIGTERM')
    expect(await killed.done).toMatchObject({ code: null, signal: 'SIGTERM' })
  })

  test('a child left behind does not keep a command from ending', async () => {
    expect(await sh('sleep 60 & echo gone')).toMatchObject({ code: 0, stdout: 'gone\n' })
  })

  test('environment and user are as told', async () => {
    const { stdout } = await guest.run(['sh', '-c', 'echo $COLOUR; id -u; id -G'], {
      env: { COLOUR: 'red' },
      uid: 1000,
    })
    expect(stdout).toBe('red\n1000\n1000\n')
  })

  test('a command out of time is killed, and what it said is told', async () => {
    const late = guest.run(['sh', '-c', 'echo so far; sleep 60'], { timeoutMs: 500 })
    await expect(late).rejects.toThrow(/not done after 500 ms\n {2}stdout: so far/)
  })

  test('waitFor fails when the command ends without', async () => {
    const command = await guest.start(['echo', 'other'])
    await expect(command.waitFor('stdout', /ready/)).rejects.toThrow(/stdout has no \/ready\/ at the end/)
  })

  test('the board looks like one', async () => {
    const { stdout } = await sh('hostname; stat -c %a /tmp; cat /sys/class/net/lo/flags; mount | cut -d" " -f3')
    const [hostname, tmp, lo, ...mounts] = stdout.trim().split('\n')
    expect([hostname, tmp]).toEqual(['fpstack-board', '1777'])
    expect(Number(lo) & 1).toBe(1)
    for (const path of ['/sys/kernel/tracing', '/sys/kernel/debug', '/sys/fs/bpf', '/sys/fs/cgroup'])
      expect(mounts).toContain(path)
  })
})

describe('a guest that fails', { timeout: 3 * minute }, () => {
  test('a panic ends everything at once, with the console', async () => {
    const guest = await bootGuest({ arch: 'arm64', kernel: '6.12' })
    const began = performance.now()
    const running = guest.run(['sleep', '100'])
    const panic = guest.run(['sh', '-c', 'echo c > /proc/sysrq-trigger'])
    await expect(running).rejects.toThrow(/QEMU ended.*last lines.*sysrq triggered crash/is)
    await expect(panic).rejects.toThrow(GuestError)
    await expect(guest.run(['true'])).rejects.toThrow(/QEMU ended/)
    expect(performance.now() - began).toBeLessThan(minute)
    await guest.close()
  })

  test('a dead agent ends the guest', async () => {
    const guest = await bootGuest({ arch: 'arm64', kernel: '6.12' })
    // Process 1 takes no signal from within; what it runs is wiped out.
    const script = `start=0x$(grep -m1 r-xp /proc/1/maps | cut -d- -f1)
      dd if=/dev/zero of=/proc/1/mem bs=4096 seek=$((start / 4096)) count=64 conv=notrunc`
    await expect(guest.run(['sh', '-c', script])).rejects.toThrow(/QEMU ended.*Attempted to kill init/s)
    await guest.close()
  })

  test('a guest that powers off is told from one that was closed', async () => {
    const guest = await bootGuest({ arch: 'arm64', kernel: '6.12' })
    await expect(guest.run(['poweroff', '-f'])).rejects.toThrow(/QEMU ended/)
    await guest.close()
    await expect(guest.run(['true'])).rejects.toThrow(/QEMU ended/)
  })

  test('a stopped guest is noticed within a minute', async () => {
    const guest = await bootGuest({ arch: 'x64', kernel: '6.12' })
    const running = guest.run(['sleep', '100'], { timeoutMs: 2 * minute })
    const began = performance.now()
    for (const pid of qemusOf(process.pid)) process.kill(pid, 'SIGSTOP')
    await expect(running).rejects.toThrow(/silent after \d+ s/)
    expect(performance.now() - began).toBeLessThan(minute)
    await guest.close()
  })

  test('a kernel that never starts is noticed', async () => {
    const halted = spawnQemu('qemu-system-aarch64', ['-M', 'virt', '-S', '-display', 'none'], 'pipe', true)
    halted.stdio[3] = halted.stdin
    const guest = new Guest({ child: halted, name: 'halted' }, 2_000)
    await expect(guest.booted).rejects.toThrow(/guest halted: not booted after \d+ s; the console/)
    await guest.close()
  })

  test('QEMU does not outlive us', async () => {
    const script = `const { bootGuest } = await import('./qemu/guest.ts')
      await bootGuest({ arch: 'arm64', kernel: '6.12' })
      console.log('booted')`
    const child = spawn('node', ['--import', 'tsx', '--input-type=module', '--eval', script])
    await once(child.stdout, 'data')
    const [qemu] = qemusOf(child.pid ?? 0)
    expect(qemu).toBeDefined()
    child.kill('SIGKILL')
    await once(child, 'exit')
    await sleep(500)
    expect(stateOf(qemu ?? 0)).toMatch(/gone|Z/)
  })

  test('unknown names are answered with the known ones', async () => {
    const typo = { arch: 'arm64', kernel: '4.19' } as unknown as GuestOptions
    await expect(bootGuest(typo)).rejects.toThrow('kernel 4.19: not one of 5.10, 6.1, 6.12, latest, rt')
    await expect(bootGuest({ arch: 'x64', kernel: 'rt' })).rejects.toThrow('kernel rt: there is none for x64')
  })
})

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function qemusOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const { name, fields } = statOf(pid)
      return name.startsWith('qemu-system') && Number(fields[1]) === parent
    })
}

/** Nobody may be there to bury what we were killed over: a zombie is dead as well. */
function stateOf(pid: number): string {
  return statOf(pid).fields[0] ?? 'gone'
}

function statOf(pid: number): { name: string; fields: string[] } {
  try {
    const [, name = '', after = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return { name, fields: after.split(' ') }
  } catch {
    return { name: '', fields: [] }
  }
}
