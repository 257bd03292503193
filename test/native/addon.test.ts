import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Addon, loadAddon, type ObjectHandle } from '../../runner/native.ts'
import { archOf } from '../../scripts/cross/arch.ts'
import { boardFolder } from './board-folder.ts'

/*
 * What the addon does without the kernel: nothing here makes a BPF system call.
 * test/kernel/addon.test.ts has the rest.
 */
const addon = loadAddon(resolve('dist/linux-x64'))
const bytes = readFileSync(join(await boardFolder(archOf('x64')), 'probe.bpf.o'))
const errno = { ENOENT: -2, ENOEXEC: -8, EBADF: -9, EINVAL: -22, ENAMETOOLONG: -36 } as const

function opened(): ObjectHandle {
  const object = addon.openObject(bytes, 'probe', undefined)
  if (typeof object === 'number') throw new Error(`openObject answered ${object}`)
  return object
}

/** Calls with arguments that TypeScript would not let pass. */
function call(name: keyof Addon, ...values: unknown[]): unknown {
  return (addon[name] as (...values: unknown[]) => unknown)(...values)
}

beforeEach(() => {
  addon.takeLog()
})

test('it says which libbpf it holds, and counts CPUs', () => {
  expect(addon.libbpfVersion()).toBe('1.5')
  expect(addon.possibleCpus()).toBeGreaterThan(0)
})

describe('arguments', () => {
  const object = opened()
  const one = new Uint8Array(1)
  const event = { type: 1, config: 0n, frequency: 99n, pid: -1, cpu: 0 }
  test.each<[string, keyof Addon, unknown[]]>([
    ['no handle', 'programs', []],
    ['an object that is no handle', 'programs', [{}]],
    ['a handle of another kind', 'closeLink', [object]],
    ['a proxy of a handle', 'maps', [new Proxy(object, {})]],
    ['bytes as an array', 'openObject', [[1, 2], 'x', undefined]],
    ['bytes of another type', 'openObject', [new Uint16Array(4), 'x', undefined]],
    ['bytes as a view', 'openObject', [new DataView(new ArrayBuffer(4)), 'x', undefined]],
    ['a name that is a number', 'openObject', [bytes, 1, undefined]],
    ['a BTF path that is null', 'openObject', [bytes, 'x', null]],
    ['a truth that is a number', 'setAutoload', [object, 'on_event', 1]],
    ['a negative count', 'setMaxEntries', [object, 'numbers', -1]],
    ['a count with a fraction', 'setMaxEntries', [object, 'numbers', 1.5]],
    ['a count of 33 bits', 'setMaxEntries', [object, 'numbers', 2 ** 32]],
    ['a count that is no number', 'setMaxEntries', [object, 'numbers', Number.NaN]],
    ['a value that is a string', 'setGlobal', [object, 'own_tid', 'abcd']],
    ['an offset that is negative', 'attachKprobe', [object, 'on_event', 'vfs_read', -1, false]],
    ['no event', 'attachPerfEvent', [object, 'on_sample', undefined]],
    ['an event without a rate', 'attachPerfEvent', [object, 'on_sample', { ...event, frequency: undefined }]],
    ['an event with two rates', 'attachPerfEvent', [object, 'on_sample', { ...event, period: 1n }]],
    ['a rate below 0', 'attachPerfEvent', [object, 'on_sample', { ...event, frequency: -1n }]],
    ['a rate of 65 bits', 'attachPerfEvent', [object, 'on_sample', { ...event, frequency: 1n << 64n }]],
    ['a rate that is a number', 'attachPerfEvent', [object, 'on_sample', { ...event, frequency: 99 }]],
    ['a key that is missing', 'lookup', [object, 'numbers', undefined, one]],
    ['a cursor that is missing', 'readMap', [object, 'numbers', undefined, one, one]],
    ['an object in place of a ring', 'readRing', [object, Buffer.alloc(8)]],
    ['an object in place of a ring to wait for', 'waitRing', [object]],
  ])('%s: TypeError', (_, name, values) => {
    expect(() => call(name, ...values)).toThrow(TypeError)
  })

  test('names no kernel could know are refused, not cut', () => {
    expect(addon.setAutoload(object, 'on_event\0', true)).toBe(errno.EINVAL)
    expect(addon.setAutoload(object, 'x'.repeat(5000), true)).toBe(errno.ENAMETOOLONG)
    expect(addon.openObject(bytes, 'x'.repeat(5000), undefined)).toBe(errno.ENAMETOOLONG)
    expect(addon.openObject(bytes, 'x', '/btf\0')).toBe(errno.EINVAL)
  })
})

describe('an opened object', () => {
  test('lists its programs and maps', () => {
    const object = opened()
    expect(addon.programs(object)).toContainEqual({ name: 'on_event', section: 'kprobe', type: 2 })
    expect(addon.maps(object)).toContainEqual(expect.objectContaining({ name: 'records', type: 27, keySize: 0 }))
    expect(addon.maps(object)).toContainEqual(expect.objectContaining({ name: 'probe.rodata', keySize: 4 }))
  })

  test('takes a global of the right size only, by its name only', () => {
    const object = opened()
    expect(addon.setGlobal(object, 'own_tid', new Uint8Array(4))).toBe(0)
    expect(addon.setGlobal(object, 'hidden', new Uint8Array(1))).toBe(0)
    expect(addon.setGlobal(object, 'seed', new Uint8Array(16))).toBe(0)
    expect(addon.setGlobal(object, 'pair', new Uint8Array(16))).toBe(0)
    expect(addon.setGlobal(object, 'calls', new Uint8Array(8))).toBe(0)
    for (const length of [0, 3, 5, 1 << 16])
      expect(addon.setGlobal(object, 'own_tid', new Uint8Array(length))).toBe(errno.EINVAL)
    for (const name of ['', 'own_ti', 'own_tid2', 'LICENSE', 'numbers', '.rodata'])
      expect(addon.setGlobal(object, name, new Uint8Array(4))).toBe(errno.ENOENT)
  })

  test('has a map sized before it is loaded', () => {
    const object = opened()
    expect(addon.setMaxEntries(object, 'numbers', 77)).toBe(0)
    expect(addon.maps(object).find(({ name }) => name === 'numbers')?.maxEntries).toBe(77)
    expect(addon.setMaxEntries(object, 'nope', 77)).toBe(errno.ENOENT)
  })

  test('answers an errno for what only a loaded one has', () => {
    const object = opened()
    const event = { type: 1, config: 0n, frequency: 99n, pid: -1, cpu: 0 }
    expect(addon.programStatus(object, 'on_event')).toBeLessThan(0)
    expect(addon.openRing(object, 'records')).toBe(errno.ENOENT)
    expect(addon.openRing(object, 'nope')).toBe(errno.ENOENT)
    expect(addon.attachKprobe(object, 'nope', 'vfs_read', 0, false)).toBe(errno.ENOENT)
    expect(addon.attachPerfEvent(object, 'nope', event)).toBe(errno.ENOENT)
    expect(addon.lookup(object, 'numbers', new Uint8Array(4), new Uint8Array(8))).toBeLessThan(0)
    expect(addon.readMap(object, 'numbers', new Uint8Array(56), new Uint8Array(4), new Uint8Array(8))).toBe(
      errno.ENOENT,
    )
    expect(addon.shareMap(object, 'numbers', opened())).toBeLessThan(0)
  })

  test('is closed once, however often asked', () => {
    const object = opened()
    addon.closeObject(object)
    addon.closeObject(object)
    expect(addon.programs(object)).toEqual([])
    expect(addon.maps(object)).toEqual([])
    expect(addon.setGlobal(object, 'own_tid', new Uint8Array(4))).toBe(errno.EBADF)
    expect(addon.load(object)).toBe(errno.EBADF)
    expect(addon.openRing(object, 'records')).toBe(errno.EBADF)
    expect(addon.shareMap(opened(), 'numbers', object)).toBe(errno.EBADF)
    expect(addon.programStatus(object, 'on_event')).toBe(errno.EBADF)
  })

  test('may be closed by the getter of an argument', () => {
    const object = opened()
    const event = {
      type: 1,
      config: 0n,
      frequency: 99n,
      pid: -1,
      get cpu() {
        addon.closeObject(object)
        return 0
      },
    }
    expect(addon.attachPerfEvent(object, 'on_sample', event)).toBe(errno.EBADF)
  })
})

describe('the log', () => {
  test('tells why an object would not open, once', () => {
    expect(addon.openObject(Buffer.from('no ELF at all'), 'broken', undefined)).toBe(errno.ENOEXEC)
    expect(addon.takeLog()).toContain("'broken'")
    expect(addon.takeLog()).toBe('')
    expect(addon.openObject(new Uint8Array(0), 'empty', undefined)).toBe(errno.EINVAL)
  })

  test('keeps the newest MiB, in whole lines', () => {
    for (let round = 0; round < 400; round++)
      addon.openObject(Buffer.from('no ELF at all'), `${round}-${'x'.repeat(4000)}`, undefined)
    const log = addon.takeLog()
    expect(log.length).toBeGreaterThan((1 << 20) - 10_000)
    expect(log.length).toBeLessThanOrEqual(1 << 20)
    expect(log).toMatch(/^libbpf: /)
    expect(log.trimEnd().split('\n').at(-1)).toContain("'399-")
  })
})
