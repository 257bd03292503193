import { once } from 'node:events'
import { createWriteStream, lstatSync, type PathLike } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { errorName, errorText, failure } from './errors.ts'

/** Where a result will go; opened before the work that makes it. */
export interface Output {
  write(pieces: Iterable<string>): Promise<void>
  /** Leaves nothing behind when there is no result. */
  discard(): Promise<void>
}

/** A stream that stays open, such as standard output. */
export function streamOutput(stream: Writable, name: string): Output {
  return {
    async write(pieces) {
      try {
        await pipeline(Readable.from(chunks(pieces)), stream, { end: false })
        await drained(stream)
      } catch (error) {
        throw refused(name, error)
      }
    },
    async discard() {},
  }
}

/**
 * A file that gets its name last: it is whole or not there. A path that is no
 * regular file (a device, a FIFO, a link such as /dev/stdout) is written to as it is.
 */
export async function fileOutput(path: string): Promise<Output> {
  const inPlace = !isRegularOrAbsent(path)
  const part = inPlace ? path : `${path}.fpstack-part`
  const stream = await opened(part, inPlace).catch((error) => {
    throw refused(path, error)
  })
  const discard = async () => {
    stream.destroy()
    if (!inPlace) await rm(part, { force: true })
  }
  return {
    async write(pieces) {
      try {
        await pipeline(Readable.from(chunks(pieces)), stream)
        if (!inPlace) await rename(part, path)
      } catch (error) {
        await discard()
        throw refused(path, error)
      }
    },
    discard,
  }
}

async function opened(path: string, inPlace: boolean): Promise<Writable> {
  // What an ended run left; wx then follows no link that somebody lays in a folder all may write to.
  if (!inPlace) await rm(path, { force: true })
  const stream = createWriteStream(path, { flags: inPlace ? 'w' : 'wx' })
  await once(stream, 'open')
  return stream
}

const chunkLength = 65_536

/** A stream takes a turn for each piece it is given, which lines are too small for. */
function* chunks(pieces: Iterable<string>): Generator<string> {
  let held = ''
  for (const piece of pieces) {
    held += piece
    if (held.length < chunkLength) continue
    yield held
    held = ''
  }
  if (held !== '') yield held
}

function isRegularOrAbsent(path: PathLike): boolean {
  const about = lstatSync(path, { throwIfNoEntry: false })
  return about === undefined || about.isFile()
}

/** A write of nothing calls back behind all writes before it. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write('', (error) => (error ? reject(error) : resolve()))
  })
}

function refused(name: string, error: unknown): Error {
  const remedies: Partial<Record<string, string>> = {
    ENOSPC: 'make room, or write to another place with -o',
    EPIPE: 'whatever read it has ended',
  }
  return failure('write', name, errorText(error), remedies[errorName(error) ?? ''])
}
