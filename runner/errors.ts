import { getSystemErrorMap } from 'node:util'

/** usage: the command line is wrong (exit code 2); failure: the board refused (exit code 1). */
export type ErrorCode = 'usage' | 'failure'

export interface ErrorParts {
  /** What fpstack was doing: "attach". */
  readonly operation: string
  /** What it was doing it to: "kprobe:do_sys_open". */
  readonly object: string
  /** Why it failed, in words. */
  readonly cause: string
  /** What to do about it; absent where nobody could. */
  readonly remedy?: string
}

/** The one error a person sees: a single line that names operation, object, cause and remedy. */
export class FpstackError extends Error {
  override readonly name = 'FpstackError'
  readonly code: ErrorCode
  readonly parts: ErrorParts

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(`${parts.operation} ${parts.object}: ${parts.cause}${parts.remedy === undefined ? '' : `; ${parts.remedy}`}`)
    this.code = code
    this.parts = parts
  }
}

export function usageError(object: string, cause: string, remedy?: string): FpstackError {
  return new FpstackError('usage', { operation: 'read', object, cause, ...(remedy !== undefined && { remedy }) })
}

export function failure(operation: string, object: string, cause: string, remedy?: string): FpstackError {
  return new FpstackError('failure', { operation, object, cause, ...(remedy !== undefined && { remedy }) })
}

/** ENOTSUPP of include/linux/errno.h: the kernel's own, unknown to libc, but BPF gives it to user space. */
const kernelOnly = new Map([[524, 'ENOTSUPP: the kernel does not support it']])

/** "ENOENT: no such file or directory" for -2. */
export function errnoText(errno: number): string {
  const known = getSystemErrorMap().get(errno)
  if (known !== undefined) return `${known[0]}: ${known[1]}`
  return kernelOnly.get(-errno) ?? `errno ${-errno}`
}

/** errno of a failed Node call ("ENOENT"), or undefined. */
export function errorName(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** What a failed Node call said, without the path and call that Node appends. */
export function errorText(error: unknown): string {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') return errnoText(error.errno)
  return error instanceof Error ? error.message : String(error)
}

/**
 * A failed call of Node's on a file that we take for granted (/proc, /sys, /dev), as an error for a person;
 * undefined for anything else, which is our bug.
 */
export function systemFailure(error: unknown): FpstackError | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('path' in error)) return undefined
  const remedy = 'fpstack wants /proc, /sys and /dev as a running system has them'
  return failure(String(error.syscall), String(error.path), errorText(error), remedy)
}
