import { readFileSync } from 'node:fs'

/** Whether we may read our terminal: a process in the background that tries is stopped (SIGTTIN). */
export function inForeground(path = '/proc/self/stat'): boolean {
  const stat = contents(path)
  // proc_pid_stat(5), behind the name in brackets: state, ppid, pgrp, session, tty_nr, tpgid.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[2] !== undefined && fields[2] === fields[5]
}

/** Whether who started us had that signal ignored, as nohup does: then it is to stay so. */
export function ignores(signal: number, path = '/proc/self/status'): boolean {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(contents(path))?.[1] ?? '0'
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n
}

function contents(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
