import { expect, test } from 'vitest'
import { lastAtOrBelow } from '../../runner/sorted.ts'

const sorted = Float64Array.of(10, 20, 20, 20, 35, 2 ** 51)

test.each([
  [9, -1],
  [10, 0],
  [19, 0],
  [20, 3],
  [34, 3],
  [35, 4],
  [2 ** 51 - 1, 4],
  [2 ** 52, 5],
])('the last that is not above %i is number %i', (wanted, index) => {
  expect(lastAtOrBelow(sorted, wanted)).toBe(index)
})

test('nothing is at or below anything in an empty table', () => {
  expect(lastAtOrBelow(new Float64Array(), 1)).toBe(-1)
})
