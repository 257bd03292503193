import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { requireProcess } from '../../../runner/kernel/processes.ts'

const refused = (message: string) => expect.objectContaining({ code: 'failure', message })

test('a live process is accepted', () => {
  expect(() => requireProcess(process.pid)).not.toThrow()
})

test('a pid that nobody has is told', () => {
  // One above the largest pid there can be (PID_MAX_LIMIT).
  expect(() => requireProcess(4194305)).toThrow(
    refused('find process 4194305: no process has that pid; it may have ended; see ps'),
  )
})

test('a thread is told as one, with its process', async () => {
  const before = new Set(readdirSync('/proc/self/task'))
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true })
  await new Promise((resolve) => worker.once('online', resolve))
  const thread = Number(readdirSync('/proc/self/task').find((task) => !before.has(task)))
  expect(() => requireProcess(thread)).toThrow(
    refused(`find process ${thread}: it is a thread of process ${process.pid}; give --pid ${process.pid}`),
  )
  await worker.terminate()
})
