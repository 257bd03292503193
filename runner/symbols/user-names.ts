import type { Frame, Sample } from '../types.ts'
import { type MappedObject, ObjectStore } from './objects.ts'
import { type Mapping, mappingAt, readMappings } from './proc-maps.ts'

/** What was seen of a process at one moment. */
interface Picture {
  readonly mappings: readonly Mapping[]
  readonly objects: Map<Mapping, MappedObject>
}

/** Names user frames from what the processes looked like when their stacks first arrived. */
export class UserNames {
  readonly #store = new ObjectStore()
  readonly #pictures = new Map<string, Picture>()

  /**
   * Looks at the sample's process while it is likely still there: its mappings, and the files
   * behind those its frames are in. A frame outside all known mappings (a library loaded since)
   * makes it look again.
   */
  observe(sample: Sample): void {
    if (sample.user.length === 0) return
    const key = pictureKey(sample)
    let picture = this.#pictures.get(key)
    if (
      picture === undefined ||
      sample.user.some((address) => mappingAt(picture?.mappings ?? [], address) === undefined)
    ) {
      const mappings = readMappings(sample.tgid)
      if (mappings === undefined || mappings.length === 0) return
      picture = { mappings, objects: picture?.objects ?? new Map() }
      this.#pictures.set(key, picture)
    }
    for (const address of sample.user) {
      const mapping = mappingAt(picture.mappings, address)
      if (mapping === undefined || picture.objects.has(mapping)) continue
      picture.objects.set(mapping, this.#store.take(sample.tgid, mapping))
    }
  }

  /** Innermost first. A frame that nothing is known of keeps its address alone. */
  name(sample: Sample): Frame[] {
    const picture = this.#pictures.get(pictureKey(sample))
    return sample.user.map((address, index) => {
      // All but the innermost are return addresses: the call is the instruction before.
      const mapping = picture && mappingAt(picture.mappings, index === 0 ? address : address - 1n)
      return mapping === undefined
        ? { address, side: 'user' }
        : named(address, index > 0, mapping, picture?.objects.get(mapping))
    })
  }

  close(): void {
    this.#store.close()
    this.#pictures.clear()
  }
}

/** An exec changes the name of a process and all its mappings, and keeps its pid. */
function pictureKey(sample: Sample): string {
  return `${sample.tgid} ${sample.comm}`
}

function named(address: bigint, isReturn: boolean, mapping: Mapping, object: MappedObject | undefined): Frame {
  const fileOffset = address - mapping.start + mapping.offset
  const back = isReturn ? 1 : 0
  const symbol = object?.find(Number(fileOffset) - back)
  const path = mapping.path === '' ? '[anonymous]' : mapping.path
  if (symbol === undefined) return { address, side: 'user', object: path, offset: fileOffset }
  return { address, side: 'user', object: path, symbol: symbol.name, offset: BigInt(symbol.offset + back) }
}
