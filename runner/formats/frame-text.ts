import { basename } from 'node:path'
import type { Frame } from '../types.ts'
import { printable } from './printable.ts'

/** "open64+0x44"; without a symbol "libdemo.so+0x1234", without an object the bare address. */
export function frameText(frame: Frame): string {
  const offset = frame.offset === undefined || frame.offset === 0n ? '' : `+0x${frame.offset.toString(16)}`
  if (frame.symbol !== undefined) return `${printable(frame.symbol)}${offset}`
  return frame.object === undefined
    ? `0x${frame.address.toString(16)}`
    : `${objectText(frame)}+0x${(frame.offset ?? 0n).toString(16)}`
}

/** The object's file name, without its folder. */
export function objectText(frame: Frame): string {
  return frame.object === undefined ? '' : printable(basename(frame.object))
}
