import { expect, test } from 'vitest'
import type { ObjectHandle } from '../../../runner/native.ts'
import { keyOf } from '../../../runner/session/records.ts'
import { readCounts, readTotals } from '../../../runner/session/tally.ts'
import { FakeAddon } from './fake-addon.ts'
import { madeKey } from './made-records.ts'

function opened(): { addon: FakeAddon; object: ObjectHandle } {
  const addon = new FakeAddon()
  const object = addon.openObject(Buffer.alloc(0), 'stacks.bpf.o')
  if (typeof object === 'number') throw new Error(`errno ${object}`)
  return { addon, object }
}

const failed = (message: string) => expect.objectContaining({ code: 'failure', message })

test.each([0, 1, 1023, 1024, 1025, 5000])('a table of %i counts is read whole', (length) => {
  const { addon, object } = opened()
  for (let stack = 0; stack < length; stack++) addon.counts.push([madeKey({ stack }), stack + 1])
  const read = [...readCounts(addon, object)]
  expect(read).toEqual(addon.counts.map(([key, events]) => ({ key: keyOf(key, 0), events })))
})

test('counts beyond 32 bits are exact', () => {
  const { addon, object } = opened()
  addon.counts.push([madeKey({ stack: 1 }), 2 ** 52 + 1])
  expect([...readCounts(addon, object)].map(({ events }) => events)).toEqual([2 ** 52 + 1])
})

test('a long hash bucket makes the batch grow, and nothing comes twice', () => {
  const { addon, object } = opened()
  addon.bucket = 5000
  for (let stack = 0; stack < 9000; stack++) addon.counts.push([madeKey({ stack }), 1])
  const keys = [...readCounts(addon, object)].map(({ key }) => key)
  expect(keys).toHaveLength(9000)
  expect(new Set(keys).size).toBe(9000)
})

test('a table that cannot be read is a failure', () => {
  const { addon, object } = opened()
  addon.refusals.set('readMap counts', -12)
  expect(() => [...readCounts(addon, object)]).toThrow(failed('read the table of counts: ENOMEM: not enough memory'))
})

test("every CPU's totals are added, and seen = counted + lost", () => {
  const { addon, object } = opened()
  // seen, counted, streamed, unsent
  addon.totals = [
    [100, 90, 7, 3],
    [0, 0, 0, 0],
    [50, 50, 0, 0],
  ]
  const totals = readTotals(addon, object, { unsent: 12, dropped: 2, missed: 4 })
  expect(totals).toEqual({
    seen: 150,
    counted: 133,
    lost: { 'table full': 3, 'stack not sent': 12, 'too many stacks': 2 },
    missed: 4,
  })
  expect(totals.seen).toBe(totals.counted + Object.values(totals.lost).reduce((sum, events) => sum + events, 0))
})

test('totals that cannot be read are a failure', () => {
  const { addon, object } = opened()
  addon.refusals.set('lookup cpus', -1)
  expect(() => readTotals(addon, object, { unsent: 0, dropped: 0, missed: 0 })).toThrow(
    failed('read the totals: EPERM: operation not permitted'),
  )
})
