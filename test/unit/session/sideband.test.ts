import { expect, test } from 'vitest'
import { Sideband } from '../../../runner/session/sideband.ts'
import { FakeAddon } from './fake-addon.ts'

/** A record of perf_event_open(2): header, body, and the sample_id that ends each. */
function record(type: number, misc: number, body: Buffer, time: bigint): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(type, 0)
  header.writeUInt16LE(misc, 4)
  header.writeUInt16LE(8 + body.length + 16, 6)
  const id = Buffer.alloc(16)
  id.writeBigUInt64LE(time, 8)
  return Buffer.concat([header, body, id])
}

function words(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer)
}

function mmap2(tgid: number, time: bigint, path: string, protection = 5): Buffer {
  const name = Buffer.alloc((path.length + 8) & ~7)
  name.write(path)
  const range = Buffer.from(BigUint64Array.of(0x400000n, 0x3000n, 0x1000n).buffer)
  const inode = Buffer.from(BigUint64Array.of(2888n, 1n).buffer)
  return record(
    10,
    2,
    Buffer.concat([words(tgid, tgid), range, words(179, 2), inode, words(protection, 2), name]),
    time,
  )
}

const comm = (tgid: number, time: bigint, misc: number) =>
  record(3, misc, Buffer.concat([words(tgid, tgid), Buffer.from('demo\0\0\0\0')]), time)
const task = (type: number, [pid, ppid, tid, ptid]: [number, number, number, number], time: bigint) =>
  record(type, 0, Buffer.concat([words(pid, ppid, tid, ptid), Buffer.alloc(8)]), time)

function taken(...records: Buffer[]): ReturnType<Sideband['take']> {
  const addon = new FakeAddon()
  addon.sideband.push(...records)
  return new Sideband(addon).take()
}

test('a mapping of code is told as /proc/PID/maps would', () => {
  const mapping = {
    start: 0x400000n,
    end: 0x403000n,
    offset: 0x1000n,
    device: 'b3:02',
    inode: 2888n,
    path: '/bin/demo',
  }
  expect(taken(mmap2(7, 5n, '/bin/demo'))).toEqual([{ kind: 'map', time: 5n, tgid: 7, mapping }])
})

test('data is not told, anonymous code has no path', () => {
  expect(taken(mmap2(7, 5n, '/bin/demo', 1))).toEqual([])
  expect(taken(mmap2(7, 5n, '//anon'))).toMatchObject([{ mapping: { path: '' } }])
})

test('an exec is told, another name is not', () => {
  expect(taken(comm(7, 5n, 1 << 13), comm(8, 6n, 0))).toEqual([{ kind: 'exec', time: 5n, tgid: 7 }])
})

test('processes begin and end, threads are part of them', () => {
  expect(
    taken(task(7, [8, 7, 8, 7], 1n), task(7, [8, 8, 9, 8], 2n), task(4, [8, 8, 9, 8], 3n), task(4, [8, 7, 8, 7], 4n)),
  ).toEqual([
    { kind: 'fork', time: 1n, tgid: 8, parent: 7 },
    { kind: 'exit', time: 4n, tgid: 8 },
  ])
})

test('what had no room is told, other records are passed over', () => {
  const lost = record(2, 0, Buffer.from(BigUint64Array.of(1n, 12n).buffer), 9n)
  expect(taken(lost, record(5, 0, Buffer.alloc(24), 10n))).toEqual([{ kind: 'lost', time: 9n }])
})

test('CPUs come together in the order of time', () => {
  const times = taken(mmap2(1, 30n, '/a'), mmap2(1, 50n, '/b'), mmap2(2, 40n, '/c')).map(({ time }) => time)
  expect(times).toEqual([30n, 40n, 50n])
})

test('what the kernel refuses is an error', () => {
  const addon = new FakeAddon()
  addon.refusals.set('watch', -24)
  expect(() => new Sideband(addon)).toThrow('watch what processes map: EMFILE: too many open files')
})
