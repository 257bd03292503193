import { openSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  errnoText,
  errorName,
  errorText,
  FpstackError,
  failure,
  systemFailure,
  usageError,
} from '../../runner/errors.ts'

function caught(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

const nodes = caught(() => openSync('/no/such/file', 'r'))

test('a failure names operation, object, cause and remedy in one line', () => {
  const error = failure('attach', 'kprobe:do_sys_open', 'this kernel has no such function', 'did you mean vfs_open?')
  expect(error.message).toBe('attach kprobe:do_sys_open: this kernel has no such function; did you mean vfs_open?')
  expect(error).toBeInstanceOf(FpstackError)
  expect(error).toMatchObject({ name: 'FpstackError', code: 'failure' })
  expect(error.parts).toEqual({
    operation: 'attach',
    object: 'kprobe:do_sys_open',
    cause: 'this kernel has no such function',
    remedy: 'did you mean vfs_open?',
  })
})

test('where nobody can do anything there is no remedy, nor a mark of one', () => {
  const error = failure('read', 'the totals', 'errno 999')
  expect(error.message).toBe('read the totals: errno 999')
  expect(error.parts).toStrictEqual({ operation: 'read', object: 'the totals', cause: 'errno 999' })
})

test('a usage error reads what was typed', () => {
  const bare = usageError('--comm', 'the name is empty')
  expect(bare.message).toBe('read --comm: the name is empty')
  expect(bare.code).toBe('usage')
  expect(bare.parts).toStrictEqual({ operation: 'read', object: '--comm', cause: 'the name is empty' })
  expect(usageError('--pid x', 'not a number', 'see ps').message).toBe('read --pid x: not a number; see ps')
})

test.each([
  [-2, 'ENOENT: no such file or directory'],
  [-1, 'EPERM: operation not permitted'],
  [-28, 'ENOSPC: no space left on device'],
  [-524, 'ENOTSUPP: the kernel does not support it'],
  [-523, 'errno 523'],
  [-999, 'errno 999'],
])('errno %i is told as "%s"', (errno, text) => {
  expect(errnoText(errno)).toBe(text)
})

test("Node's own errors lose the path and the call that Node appends", () => {
  expect(errorText(nodes)).toBe('ENOENT: no such file or directory')
  expect(errorName(nodes)).toBe('ENOENT')
})

test('any other error says its message, anything else itself', () => {
  expect(errorText(new RangeError('8 bytes at 4 of 8'))).toBe('8 bytes at 4 of 8')
  expect(errorText('thrown as text')).toBe('thrown as text')
  expect(errorText(undefined)).toBe('undefined')
})

test('only a named error has a name', () => {
  expect(errorName(new Error('no code'))).toBeUndefined()
  expect(errorName(Object.assign(new Error('odd'), { code: 7 }))).toBeUndefined()
  expect(errorName({ code: 'ENOENT' })).toBeUndefined()
})

test('a file of the system that is not there is told, what is not of the system is not', () => {
  const failed = (read: () => unknown): unknown => {
    try {
      return read()
    } catch (error) {
      return error
    }
  }
  expect(systemFailure(failed(() => readFileSync('/proc/no/such')))?.message).toBe(
    'open /proc/no/such: ENOENT: no such file or directory; fpstack wants /proc, /sys and /dev as a running system has them',
  )
  expect(systemFailure(new TypeError('of ours'))).toBeUndefined()
  expect(systemFailure('no error')).toBeUndefined()
})
