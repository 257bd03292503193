import { expect, test } from 'vitest'
import { totalsLine } from '../../../runner/formats/totals-line.ts'
import type { Report } from '../../../runner/types.ts'
import { madeReport, madeStack } from '../made-samples.ts'
import { report } from './made-report.ts'

const none = { 'table full': 0, 'stack not sent': 0, 'too many stacks': 0 }
const totals = { seen: 10, counted: 10, lost: none, missed: 0 }

test.each<[Partial<Report>, string]>([
  [{ totals }, '10 events = 10 counted + 0 lost; 0 distinct stacks'],
  [{ totals: { ...totals, seen: 1, counted: 1 } }, '1 event = 1 counted + 0 lost; 0 distinct stacks'],
  [
    { totals: { ...totals, counted: 7, lost: { ...none, 'stack not sent': 3, 'too many stacks': 0 } } },
    '10 events = 7 counted + 3 lost (stack not sent: 3); 0 distinct stacks',
  ],
  [
    { totals: { ...totals, missed: 2 } },
    '10 events = 10 counted + 0 lost; 0 distinct stacks; the kernel withheld 2 more, of any process, while a program was already running',
  ],
  [
    { totals, depth: 5, stacks: [madeStack({ weight: 4, userState: { cut: true, errno: 0 } })] },
    '10 events = 10 counted + 0 lost; 1 distinct stack; 4 cut off at 5 user frames',
  ],
  [
    { totals, stacks: [madeStack({ weight: 4, kernelState: { cut: false, errno: 14 } }), madeStack({ weight: 6 })] },
    '10 events = 10 counted + 0 lost; 2 distinct stacks; 4 with an unreadable kernel stack',
  ],
])('%o: %s', (said, line) => {
  expect(totalsLine(madeReport(said))).toBe(line)
})

test('what it says adds up', () => {
  const [, seen, counted, lost, ...causes] =
    /^(\d+) events = (\d+) counted \+ (\d+) lost \(table full: (\d+), stack not sent: (\d+)\)/.exec(
      totalsLine(report),
    ) ?? []
  expect(Number(seen)).toBe(Number(counted) + Number(lost))
  expect(Number(lost)).toBe(causes.map(Number).reduce((sum, cause) => sum + cause, 0))
})
