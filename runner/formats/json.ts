import type { Frame, Stack } from '../types.ts'
import type { Format } from './format.ts'
import { commText, printableJson } from './printable.ts'

/** The whole report; addresses and offsets as hexadecimal strings, because JSON's numbers end at 2^53. */
export const json: Format = {
  summary: 'everything, for programs',
  tellsTotals: true,

  *render(report) {
    const { stacks, totals, ...about } = report
    yield `${printableJson({ ...about, totals, stacks: stacks.map(stackJson) })}\n`
  },
}

function stackJson(stack: Stack): object {
  const { event, weight, comm, tgid, tid, kernelState, userState } = stack
  return {
    event,
    count: weight,
    comm: commText(comm),
    pid: tgid,
    ...(tid !== 0 && { tid }),
    kernel: stack.kernel.map(frameJson),
    user: stack.user.map(frameJson),
    ...(kernelState.cut && { kernelCut: true }),
    ...(userState.cut && { userCut: true }),
    ...(stack.userStray && { userStray: true }),
    ...(kernelState.errno !== 0 && { kernelErrno: kernelState.errno }),
    ...(userState.errno !== 0 && { userErrno: userState.errno }),
  }
}

function frameJson(frame: Frame): object {
  const { address, symbol, offset, object } = frame
  return {
    address: `0x${address.toString(16)}`,
    ...(symbol !== undefined && { symbol }),
    ...(offset !== undefined && { offset: `0x${offset.toString(16)}` }),
    ...(object !== undefined && { object }),
  }
}
