import { expect, test } from 'vitest'
import { freshSeeds } from '../../../runner/session/seeds.ts'

test('seeds are 64 bits each, and no two are alike', () => {
  const drawn = Array.from({ length: 50 }, () => freshSeeds()).flatMap(({ seed_0, seed_1 }) => [seed_0, seed_1])
  expect(new Set(drawn.map(({ value }) => value)).size).toBe(100)
  expect(drawn.every(({ type, value }) => type === 'u64' && BigInt.asUintN(64, BigInt(value)) === value)).toBe(true)
  // Were half of the bytes not read, these would all be small: for chance alone that is 1 in 2^100.
  expect(drawn.some(({ value }) => BigInt(value) > 2n ** 63n)).toBe(true)
})
