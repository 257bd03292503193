import { expect, test } from 'vitest'
import { commText, printable, printableJson } from '../../../runner/formats/printable.ts'

test.each([
  ['plain text, größe, 名前 🙂', 'plain text, größe, 名前 🙂'],
  ['\x1b[2J', '\\x1b[2J'],
  ['a\nb\r\tc', 'a\\x0ab\\x0d\\x09c'],
  ['\0', '\\x00'],
  ['\x7f\x80\x9b\x9f\xa0', '\\x7f\\x80\\x9b\\x9f\xa0'],
  ['\u061c\u200e\u200f', '\\u061c\\u200e\\u200f'],
  ['\u2028\u2029\u202a\u202e', '\\u2028\\u2029\\u202a\\u202e'],
  ['\u2066\u2069\u206a', '\\u2066\\u2069\u206a'],
  // What is escaped and what only looks like it stay apart.
  ['\\x1b', '\\\\x1b'],
  ['', ''],
])('%j is printed as %j', (text, printed) => {
  expect(printable(text)).toBe(printed)
})

const latin1 = (text: string) => Buffer.from(text).toString('latin1')

test.each([
  ['demo', 'demo'],
  [latin1('größe'), 'größe'],
  [latin1('🙂'), '🙂'],
  // The kernel cut the last ü in two.
  [`${latin1('grün-und-größer')}\xc3`, 'gr\\xc3\\xbcn-und-gr\\xc3\\xb6\\xc3\\x9fer\\xc3'],
  ['\xff\xfea', '\\xff\\xfea'],
  ['a\xa0b', 'a\\xa0b'],
  ['\xed\xa0\x80', '\\xed\\xa0\\x80'],
  ['\xc0\xaf', '\\xc0\\xaf'],
  ['\x1b[2J\xff', '\\x1b[2J\\xff'],
  [latin1('\u202e'), '\\u202e'],
  [latin1('\x9b'), '\\x9b'],
  ['back\\slash', 'back\\\\slash'],
  ['', ''],
])('the comm %j is printed as %j', (comm, printed) => {
  expect(commText(comm)).toBe(printed)
})

test('JSON without anything to obey is the same JSON', () => {
  const value = { 'a\x9b': ['\u202e\n\\n', 1, null], b: '\x1b\x7f\u2028"' }
  expect(JSON.parse(printableJson(value))).toEqual(value)
  expect(printableJson(value)).toBe(
    '{\n "a\\u009b": [\n  "\\u202e\\n\\\\n",\n  1,\n  null\n ],\n "b": "\\u001b\\u007f\\u2028\\""\n}',
  )
})
