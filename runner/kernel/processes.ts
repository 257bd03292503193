import { readFileSync } from 'node:fs'
import { failure } from '../errors.ts'

/** Throws unless pid is a live process (not one thread of another). */
export function requireProcess(pid: number): void {
  let status: string
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1')
  } catch {
    throw failure('find', `process ${pid}`, 'no process has that pid', 'it may have ended; see ps')
  }
  const tgid = Number(/^Tgid:\s*(\d+)$/m.exec(status)?.[1])
  if (tgid !== pid) throw failure('find', `process ${pid}`, `it is a thread of process ${tgid}`, `give --pid ${tgid}`)
}
