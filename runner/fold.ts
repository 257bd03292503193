import type { Frame, Stack } from './types.ts'

/**
 * Merges stacks that read the same by function, and puts the hottest first: a sampling run has as many
 * distinct stacks as instructions were met. A frame keeps its offset only where all that were merged agree on it.
 */
export function fold(stacks: Iterable<Stack>): Stack[] {
  const merged = new Map<string, Stack>()
  for (const stack of stacks) {
    const key = keyOf(stack)
    const held = merged.get(key)
    merged.set(key, held === undefined ? stack : merge(held, stack))
  }
  return hottestFirst(merged.values())
}

/** Equal weights keep an order of their own, so that two runs of one program read alike. */
export function hottestFirst(stacks: Iterable<Stack>): Stack[] {
  const keyed = [...stacks].map((stack) => ({ stack, key: keyOf(stack) }))
  keyed.sort((a, b) => b.stack.weight - a.stack.weight || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return keyed.map(({ stack }) => stack)
}

function merge(a: Stack, b: Stack): Stack {
  return { ...a, weight: a.weight + b.weight, kernel: agree(a.kernel, b.kernel), user: agree(a.user, b.user) }
}

function agree(a: readonly Frame[], b: readonly Frame[]): Frame[] {
  return a.map((frame, index) => {
    if (frame.offset === b[index]?.offset) return frame
    const { offset: _, ...rest } = frame
    return rest
  })
}

function keyOf(stack: Stack): string {
  const { event, comm, tgid, tid, kernelState, userState, userStray } = stack
  const frames = [stack.kernel.map(frameKey), stack.user.map(frameKey)]
  return JSON.stringify([event, comm, tgid, tid, kernelState, userState, userStray, frames])
}

/** Without a symbol two places of an object are two functions for all that is known. */
function frameKey({ symbol, object, offset, address }: Frame): unknown[] {
  return symbol === undefined ? [object, String(offset ?? address)] : [object, symbol, '()']
}
