import { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { startWorkload } from '../../../runner/session/workload.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpstack-workload-'))
afterAll(() => rmSync(folder, { recursive: true }))

const failed = (message: string) => expect.objectContaining({ code: 'failure', message })

function pidOf(file: string): number {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
}

test.each([['true'], ['false'], ['sh', '-c', 'kill -9 $$']])(
  '%s %s %s ends by itself, however it ends',
  async (...command) => {
    const workload = startWorkload(command)
    await workload.ended
    await workload.terminate()
  },
)

test('a command that is not there is told, whoever asks', async () => {
  const workload = startWorkload(['/no/such/command', 'x'])
  const message = failed('start /no/such/command: no such command')
  await expect(workload.ended).rejects.toThrow(message)
  await expect(workload.terminate()).rejects.toThrow(message)
})

test('a command that cannot be run is told', async () => {
  const path = join(folder, 'plain')
  writeFileSync(path, 'not a program')
  chmodSync(path, 0o644)
  const workload = startWorkload([path])
  await expect(workload.ended).rejects.toThrow(failed(`start ${path}: EACCES: permission denied`))
})

test('terminate ends it', async () => {
  const workload = startWorkload(['sleep', '60'])
  let ended = false
  void workload.ended.then(() => {
    ended = true
  })
  await workload.terminate()
  await workload.ended
  expect(ended).toBe(true)
})

test('one that will not end is left alone after a while', async () => {
  const pidFile = join(folder, 'pid')
  const stubborn = `trap "" TERM; echo $$ > ${pidFile}; while :; do sleep 0.1; done`
  const workload = startWorkload(['sh', '-c', stubborn])
  await expect.poll(() => pidOf(pidFile), { timeout: 10_000 }).toBeGreaterThan(1)
  try {
    await workload.terminate()
    expect(() => process.kill(pidOf(pidFile), 0)).not.toThrow()
  } finally {
    process.kill(pidOf(pidFile), 'SIGKILL')
  }
  await workload.ended
})

test('one that is not ours to end is left alone too', async () => {
  const workload = startWorkload(['sleep', '0.2'])
  const kill = vi.spyOn(ChildProcess.prototype, 'kill').mockImplementation(function (this: ChildProcess) {
    // What Node does where kill(2) says EPERM.
    this.emit('error', Object.assign(new Error('kill EPERM'), { code: 'EPERM' }))
    return false
  })
  await workload.terminate()
  kill.mockRestore()
  await workload.ended
})
