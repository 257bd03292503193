import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'

/**
 * Starts QEMU so that it cannot outlive us: the kernel kills it when the thread
 * that started it ends, however that comes about. Detached, it does not get the
 * terminal's Ctrl-C, which is meant for the command in the guest.
 */
export function spawnQemu(
  program: string,
  args: readonly string[],
  stdio: StdioOptions,
  detached: boolean,
): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], { stdio, detached })
}
