import { closeSync, openSync, readSync } from 'node:fs'
import type { Global } from '../types.ts'

/**
 * Seeds of the stack hash that nobody can know: a traced process chooses its
 * own return addresses and must not be able to make two stacks look like one.
 * From the device, because node:crypto costs a slow board 50 ms to load.
 */
export function freshSeeds(): Readonly<Record<'seed_0' | 'seed_1', Global>> {
  const bytes = Buffer.alloc(16)
  const fd = openSync('/dev/urandom', 'r')
  try {
    readSync(fd, bytes)
  } finally {
    closeSync(fd)
  }
  return {
    seed_0: { type: 'u64', value: bytes.readBigUInt64LE(0) },
    seed_1: { type: 'u64', value: bytes.readBigUInt64LE(8) },
  }
}
