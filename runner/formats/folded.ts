import type { Frame, Stack } from '../types.ts'
import type { Format } from './format.ts'
import { objectText } from './frame-text.ts'
import { commText, printable } from './printable.ts'

/** One line a stack, outermost frame first, for flamegraph.pl and its kin; kernel frames end in _[k]. */
export const folded: Format = {
  summary: 'one line a stack, for flame-graph tools',
  tellsTotals: false,

  *render(report) {
    const merged = new Map<string, number>()
    for (const stack of report.stacks) {
      const line = lineOf(stack, report.events.length > 1)
      merged.set(line, (merged.get(line) ?? 0) + stack.weight)
    }
    for (const [line, weight] of merged) yield `${line} ${weight}\n`
  },
}

function lineOf(stack: Stack, withEvent: boolean): string {
  const frames = [...stack.user].reverse().concat([...stack.kernel].reverse())
  const first = withEvent ? [printable(stack.event), commText(stack.comm)] : [commText(stack.comm)]
  return [...first, ...frames.map(frameName)].map((part) => part.replaceAll(';', ':')).join(';')
}

/** Names without offsets: a flame graph is by function. */
function frameName(frame: Frame): string {
  const suffix = frame.side === 'kernel' ? '_[k]' : ''
  if (frame.symbol !== undefined) return `${printable(frame.symbol)}${suffix}`
  return `${frame.object === undefined ? `0x${frame.address.toString(16)}` : `[${objectText(frame)}]`}${suffix}`
}
