import type { Frame, Sample } from '../types.ts'
import { type MappedObject, ObjectStore } from './objects.ts'
import { type Mapping, mappingAt, readMappings } from './proc-maps.ts'

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

/** No code lies in the first page (mmap_min_addr) or beyond 55 bits, the most either architecture gives user space. */
const lowest = 4096n
const highest = 1n << 55n

/** Names user frames from what the processes looked like when their stacks first arrived. */
export class UserNames {
  readonly #store = new ObjectStore()
  /** Executable mappings by process and name: an exec changes the name and all mappings, and keeps the pid. */
  readonly #mappings = new Map<string, readonly Mapping[]>()
  /** By the list of addresses itself, which a sample keeps through all its copies. */
  readonly #places = new WeakMap<readonly bigint[], readonly (Place | undefined)[]>()

  /** Looks at a sample's process while it is likely still there: its mappings, and the files behind its frames. */
  observe(sample: Sample): void {
    if (sample.user.length === 0) return
    const mappings = this.#mappingsOf(sample)
    const places = sample.user.map((address, index): Place | undefined => {
      const mapping = mappingAt(mappings, address - returnBack(index))
      return mapping && { mapping, object: this.#store.take(sample.tgid, mapping) }
    })
    this.#places.set(sample.user, places)
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
    this.#mappings.clear()
  }

  /** A library loaded since the last look makes it look again. */
  #mappingsOf(sample: Sample): readonly Mapping[] {
    const key = `${sample.tgid} ${sample.comm}`
    const held = this.#mappings.get(key) ?? []
    const known = sample.user.every((address) => address < lowest || address >= highest || mappingAt(held, address))
    if (held.length > 0 && known) return held
    const now = readMappings(sample.tgid) ?? held
    this.#mappings.set(key, now)
    return now
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
