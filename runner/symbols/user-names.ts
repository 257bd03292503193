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
      const places = sample.user.map((address, index): Place | undefined => {
        const mapping = this.#processes.find(sample.tgid, sample.time, address - returnBack(index))
        return mapping && { mapping, object: this.#store.take(sample.tgid, mapping) }
      })
      // Of a process that nothing is known of, all addresses stay.
      if (places.some((place) => place !== undefined)) this.#places.set(sample.user, places)
    }
    if (!behind) this.#processes.forgetEnded()
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
    for (const [index, address] of sample.user.entries()) {
      const place = places[index]
      if (index > 0 && !returnsTo(address, place, places[index - 1])) return { frames, stray: true }
      frames.push(place === undefined ? { address, side: 'user' } : named(address, returnBack(index), place))
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

/** All but the innermost address are return addresses: the call is the instruction before. */
function returnBack(index: number): bigint {
  return index === 0 ? 0n : 1n
}

/**
 * Whether a call can return there. A signal interrupts anywhere: the frame
 * behind the kernel's trampoline, which is in the vdso on arm64, is no return.
 */
function returnsTo(address: bigint, place: Place | undefined, inner: Place | undefined): boolean {
  if (place === undefined) return false
  if (inner?.mapping.path === '[vdso]') return true
  return place.object.followsCall(fileOffset(address, place.mapping)) !== false
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
