import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Bytes that may be hostile: every read is checked against what is there. */
export interface ByteSource {
  readonly size: number
  /** Exactly length bytes from offset; RangeError where they are not all there. */
  read(offset: number, length: number): Buffer
}

/** No table of an object on a board comes near this; a larger one is a lie or not worth the board's memory. */
const largestRead = 64 << 20

function checkRange(offset: number, length: number, size: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0
  if (!whole || offset + length > size) throw new RangeError(`${length} bytes at ${offset} of ${size}`)
  if (length > largestRead) throw new RangeError(`a table of ${length} bytes`)
}

export function bytesOf(bytes: Buffer): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      checkRange(offset, length, bytes.length)
      return bytes.subarray(offset, offset + length)
    },
  }
}

/** A regular file held open, so that its name may vanish meanwhile. */
export interface OpenFile extends ByteSource {
  readonly inode: bigint
  close(): void
}

/**
 * Opens a regular file, nothing else: O_NONBLOCK keeps a FIFO put in its place from hanging us.
 * Throws what Node throws.
 */
export function openRegular(path: string): OpenFile {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    const about = fstatSync(fd, { bigint: true })
    if (!about.isFile()) throw new Error('not a regular file')
    const size = Number(about.size)
    return {
      size,
      inode: about.ino,
      read: (offset, length) => readAt(fd, offset, length, size),
      close: () => closeSync(fd),
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function readAt(fd: number, offset: number, length: number, size: number): Buffer {
  checkRange(offset, length, size)
  const bytes = Buffer.allocUnsafe(length)
  for (let done = 0; done < length; ) {
    const got = readSync(fd, bytes, done, length - done, offset + done)
    if (got === 0) throw new RangeError(`the file ended at ${offset + done}`)
    done += got
  }
  return bytes
}
