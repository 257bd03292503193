import type { Frame, Stack } from './types.ts'

/** Merges stacks that read the same (addresses in one function, one name) and puts the hottest first. */
export function fold(stacks: Iterable<Stack>): Stack[] {
  const merged = new Map<string, Stack>()
  for (const stack of stacks) {
    const key = keyOf(stack)
    const held = merged.get(key)
    merged.set(key, held === undefined ? stack : { ...held, weight: held.weight + stack.weight })
  }
  // Equal weights keep an order of their own, so that two runs of one program read alike.
  const entries = [...merged].sort(([keyA, a], [keyB, b]) => b.weight - a.weight || (keyA < keyB ? -1 : 1))
  return entries.map(([, stack]) => stack)
}

function keyOf(stack: Stack): string {
  const { event, comm, tgid, tid, kernelState, userState } = stack
  return JSON.stringify([
    event,
    comm,
    tgid,
    tid,
    kernelState,
    userState,
    stack.kernel.map(frameKey),
    stack.user.map(frameKey),
  ])
}

function frameKey(frame: Frame): string {
  return frame.symbol === undefined
    ? `${frame.object ?? ''}+${frame.offset ?? frame.address}`
    : `${frame.symbol} ${frame.object ?? ''}`
}
