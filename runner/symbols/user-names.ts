import type { Batch, Frame, Mapping, Sample } from '../types.ts'
import { type MappedObject, ObjectStore } from './objects.ts'
import { Processes } from './processes.ts'

/** Where an address was when its stack arrived. */
interface Place {
  readonly mapping: Mapping
  readonly object: MappedObject
}

export interface NamedSide {
  /** Innermost first. */
  readonly frames: readonly Frame[]
  /** Whether the frame pointers led out of code, so that what follows the last frame is not known. */
  readonly stray: boolean
}

/** Names user frames from what the processes had mapped when their stacks were taken. */
export class UserNames {
  readonly #store = new ObjectStore()
  readonly #processes = new Processes()
  /** By the list of addresses itself, which a sample keeps through all its copies. */
  readonly #places = new WeakMap<readonly bigint[], readonly (Place | undefined)[]>()

  /** Finds the places of new stacks, and opens the files behind them while they are likely still there. */
  observe({ processes, samples, behind }: Batch): void {
    for (const event of processes) this.#processes.apply(event)
    for (const sample of samples) {
      const places = this.#placesOf(sample)
      // Of a process that nothing is known of, all addresses stay.
      if (places.some((place) => place !== undefined)) this.#places.set(sample.user, places)
    }
    if (!behind) this.#processes.forgetEnded()
  }

  /** Up to the first return address that is nowhere: name ends the stack there, and a flood of chance values costs little. */
  #placesOf({ tgid, time, user }: Sample): (Place | undefined)[] {
    const places: (Place | undefined)[] = []
    for (const [index, address] of user.entries()) {
      const mapping = this.#processes.find(tgid, time, address - returnBack(index))
      if (mapping === undefined && index > 0) break
      places.push(mapping && { mapping, object: this.#store.take(tgid, mapping) })
    }
    return places
  }

  /**
   * Names what observe has seen. Code without frame pointers (glibc on x86_64) uses their register for
   * anything, and the walk then reads chance values: a frame that is not in code, or is
   * not where a call returns to, ends the stack.
   */
  name(sample: Sample): NamedSide {
    const places = this.#places.get(sample.user)
    if (places === undefined) return { frames: sample.user.map((address) => ({ address, side: 'user' })), stray: false }
    const frames: Frame[] = []
    let reached: Reached | undefined = 'instruction'
    for (const [index, address] of sample.user.entries()) {
      const place = places[index]
      if (index > 0) reached = howReached(address, place, reached)
      if (reached === undefined) return { frames, stray: true }
      // The call is the instruction before a return address; nothing calls a signal's trampoline.
      frames.push(place === undefined ? { address, side: 'user' } : named(address, reached === 'call' ? 1n : 0n, place))
    }
    return { frames, stray: false }
  }

  /** Why the frames of an object have no names, by its path. */
  troubles(): Map<string, string> {
    return this.#store.troubles()
  }

  close(): void {
    this.#store.close()
  }
}

/** All but the innermost address are return addresses, which may lie behind the mapping that the call is in. */
function returnBack(index: number): bigint {
  return index === 0 ? 0n : 1n
}

/** What left an address on the stack. */
type Reached = 'instruction' | 'call' | 'signal'

/** Undefined where nothing returns to. A signal interrupts anywhere, so what is behind its trampoline is not doubted. */
function howReached(address: bigint, place: Place | undefined, inner: Reached): Reached | undefined {
  if (place === undefined) return undefined
  const offset = fileOffset(address, place.mapping)
  if (place.object.isSignalReturn(offset)) return 'signal'
  return inner === 'signal' || place.object.followsCall(offset) !== false ? 'call' : undefined
}

function fileOffset(address: bigint, mapping: Mapping): number {
  return Number(address - mapping.start + mapping.offset)
}

function named(address: bigint, back: bigint, { mapping, object }: Place): Frame {
  const offset = fileOffset(address, mapping)
  const symbol = object.find(offset - Number(back))
  const path = mapping.path === '' ? '[anonymous]' : mapping.path
  if (symbol === undefined) return { address, side: 'user', object: path, offset: BigInt(offset) }
  return { address, side: 'user', object: path, symbol: symbol.name, offset: BigInt(symbol.offset) + back }
}
