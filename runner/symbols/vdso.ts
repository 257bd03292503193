import { closeSync, openSync, readSync } from 'node:fs'
import type { Mapping } from '../types.ts'
import { type ByteSource, bytesOf } from './byte-source.ts'
import { readMappings } from './proc-maps.ts'

/** A vdso is a few pages; more is not one. */
const largest = 1 << 20

/**
 * The vdso as our own process has it: the kernel maps the same image into every
 * process of our word size, and ours cannot be a hostile one's.
 */
export function readVdso(like: Mapping): ByteSource | undefined {
  const own = readMappings('self')?.find((mapping) => mapping.path === '[vdso]')
  if (own === undefined || own.end - own.start !== like.end - like.start) return undefined
  const length = Number(own.end - own.start)
  if (length > largest) return undefined
  const bytes = Buffer.alloc(length)
  const fd = openSync('/proc/self/mem', 'r')
  try {
    return readSync(fd, bytes, 0, length, own.start) === length ? bytesOf(bytes) : undefined
  } finally {
    closeSync(fd)
  }
}
