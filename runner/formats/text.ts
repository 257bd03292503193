import pico from 'picocolors'
import { errnoText } from '../errors.ts'
import { fold } from '../fold.ts'
import type { Frame, Stack } from '../types.ts'
import type { Format } from './format.ts'
import { frameText, objectText } from './frame-text.ts'
import { commText } from './printable.ts'
import { totalsLine } from './totals-line.ts'

export const text: Format = {
  summary: 'for reading: hottest stack first, innermost frame on top',
  tellsTotals: true,

  *render(report, colours) {
    const paint = pico.createColors(colours)
    const folded = fold(report.stacks)
    for (const event of report.events) {
      if (report.events.length > 1) yield `${paint.bold(event)}\n\n`
      const stacks = folded.filter((stack) => stack.event === event)
      const all = stacks.reduce((sum, stack) => sum + stack.weight, 0)
      for (const stack of stacks) yield* stackText(stack, all, report.depth, paint)
    }
    yield `${paint.bold(totalsLine(report))}\n`
  },
}

type Paint = ReturnType<typeof pico.createColors>

function* stackText(stack: Stack, all: number, depth: number, paint: Paint): Generator<string> {
  const share = ((100 * stack.weight) / all).toFixed(1)
  const thread = stack.tid === 0 ? '' : `, tid ${stack.tid}`
  yield `${paint.bold(stack.weight)} (${share} %)  ${paint.cyan(commText(stack.comm))}, pid ${stack.tgid}${thread}\n`
  yield* sideText('kernel', stack, depth, paint.yellow)
  yield* sideText('user', stack, depth, paint.green)
  yield '\n'
}

function* sideText(
  side: Frame['side'],
  stack: Stack,
  depth: number,
  colour: (text: string) => string,
): Generator<string> {
  const lines = stack[side].map((frame) => `${colour(frameText(frame))}${objectSuffix(frame)}`)
  for (const [index, line] of [...lines, ...whyNotWhole(side, stack, depth)].entries()) {
    yield `  ${index === 0 ? side.padEnd(6) : '      '}  ${line}\n`
  }
}

function whyNotWhole(side: Frame['side'], stack: Stack, depth: number): string[] {
  const { cut, errno } = side === 'kernel' ? stack.kernelState : stack.userState
  if (errno !== 0) return [`… unreadable: ${errnoText(-errno)}`]
  if (side === 'user' && stack.userStray) return ['… the frame pointers lead out of code from here']
  return cut ? [`… cut off at ${depth} frames (--depth)`] : []
}

/** Where the name comes from, unless that is the kernel itself. */
function objectSuffix(frame: Frame): string {
  return frame.symbol === undefined || frame.object === 'kernel' ? '' : `  [${objectText(frame)}]`
}
