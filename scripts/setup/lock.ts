import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs work while no other process holds the same lock in this folder. The lock
 * is an abstract socket, which the kernel takes back however its holder ends.
 */
export async function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  // a socket's name holds 107 bytes, a path may be longer
  const address = `\0fpstack-${createHash('sha256').update(`${name}\0${process.cwd()}`).digest('hex')}`
  let held = await listen(address)
  if (held === undefined) process.stderr.write(`  waiting for another ${name} here …\n`)
  while (held === undefined) {
    await sleep(100)
    held = await listen(address)
  }
  try {
    return await work()
  } finally {
    held.close()
  }
}

async function listen(address: string) {
  const server = createServer()
  return new Promise<typeof server | undefined>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(address, () => resolve(server))
  })
}
