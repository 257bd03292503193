import { expect, test } from 'vitest'
import { folded } from '../../../runner/formats/folded.ts'
import { formatNames, formatOf } from '../../../runner/formats/index.ts'
import { json } from '../../../runner/formats/json.ts'
import { text } from '../../../runner/formats/text.ts'

test('each format has its name', () => {
  expect(formatNames).toEqual(['text', 'folded', 'json'])
  expect(formatNames.map((name) => formatOf(name))).toEqual([text, folded, json])
})

test('totals that a format has no place for are told beside it', () => {
  expect(formatNames.filter((name) => !formatOf(name).tellsTotals)).toEqual(['folded'])
})

test.each(['', 'TEXT', 'svg', 'constructor', '__proto__'])('%j is no format, and those there are get told', (name) => {
  const message = `read --format ${name}: no such format; the formats are text, folded, json`
  expect(() => formatOf(name)).toThrow(expect.objectContaining({ code: 'usage', message }))
})
