import type { Report, SideState, Stack } from '../types.ts'

/** Where every event went, in one line that ends each text: "50 events = 50 counted + 0 lost; 2 distinct stacks". */
export function totalsLine(report: Report): string {
  const { seen, counted, lost, missed } = report.totals
  const causes = Object.entries(lost).filter(([, events]) => events > 0)
  const lostSum = causes.reduce((sum, [, events]) => sum + events, 0)
  const why = causes.length === 0 ? '' : ` (${causes.map(([cause, events]) => `${cause}: ${events}`).join(', ')})`
  const parts = [
    `${plural(seen, 'event')} = ${counted} counted + ${lostSum} lost${why}`,
    plural(report.stacks.length, 'distinct stack'),
  ]
  for (const side of ['kernel', 'user'] as const) {
    const cut = weightWhere(report.stacks, side, (state) => state.cut)
    if (cut > 0) parts.push(`${cut} cut off at ${report.depth} ${side} frames`)
    const unread = weightWhere(report.stacks, side, (state) => state.errno !== 0)
    if (unread > 0) parts.push(`${unread} with an unreadable ${side} stack`)
  }
  if (missed > 0) parts.push(`the kernel withheld ${missed} more, of any process, while a program was already running`)
  return parts.join('; ')
}

function weightWhere(stacks: readonly Stack[], side: 'kernel' | 'user', holds: (state: SideState) => boolean): number {
  return stacks.reduce(
    (sum, stack) => sum + (holds(side === 'kernel' ? stack.kernelState : stack.userState) ? stack.weight : 0),
    0,
  )
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
