import type { Mapping, ProcessEvent } from '../types.ts'
import { mappingAt, readMappings } from './proc-maps.ts'

interface History {
  /** What was mapped before the first change that is known; undefined: not looked at yet. */
  base: readonly Mapping[] | undefined
  /** What was mapped since, and when; an exec empties it. */
  readonly changes: { readonly time: bigint; readonly mapping: Mapping | 'exec' }[]
}

/**
 * What each process had mapped at any time: from the sideband, and for
 * processes that are older than the trace from /proc.
 */
export class Processes {
  readonly #histories = new Map<number, History>()
  /** Ended processes, kept until their last stacks have been seen. */
  #ended = new Set<number>()
  #forgettable = new Set<number>()

  apply(event: ProcessEvent): void {
    switch (event.kind) {
      case 'map':
        this.#historyOf(event.tgid).changes.push({ time: event.time, mapping: event.mapping })
        break
      case 'exec':
        this.#historyOf(event.tgid).changes.push({ time: event.time, mapping: 'exec' })
        break
      case 'fork':
        // A pid may be taken again at once.
        this.#ended.delete(event.tgid)
        this.#forgettable.delete(event.tgid)
        this.#histories.set(event.tgid, this.#copyOf(event.parent, event.time))
        break
      case 'exit':
        this.#ended.add(event.tgid)
        break
      case 'lost':
        // What is known may be wrong; /proc still tells of those that live.
        this.#histories.clear()
    }
  }

  /** The mapping that held address in a process at a time. */
  find(tgid: number, time: bigint, address: bigint): Mapping | undefined {
    const { base, changes } = this.#historyOf(tgid)
    for (let index = changes.length - 1; index >= 0; index--) {
      const change = changes[index]
      if (change === undefined || change.time > time) continue
      if (change.mapping === 'exec') return undefined
      if (address >= change.mapping.start && address < change.mapping.end) return change.mapping
    }
    return mappingAt(base ?? this.#readBase(tgid), address)
  }

  /** Forgets processes that ended before the call before this one: no stack of theirs is still to come. */
  forgetEnded(): void {
    for (const tgid of this.#forgettable) this.#histories.delete(tgid)
    this.#forgettable = this.#ended
    this.#ended = new Set()
  }

  #historyOf(tgid: number): History {
    const held = this.#histories.get(tgid)
    if (held !== undefined) return held
    const made: History = { base: undefined, changes: [] }
    this.#histories.set(tgid, made)
    return made
  }

  /** A child begins with all that its parent has. */
  #copyOf(parent: number, time: bigint): History {
    const { base, changes } = this.#historyOf(parent)
    return { base: base ?? this.#readBase(parent), changes: changes.filter((change) => change.time <= time) }
  }

  /**
   * /proc shows the process as it is now. That is also how it was, unless it has called exec since it was
   * first heard of: then nobody knows any more.
   */
  #readBase(tgid: number): readonly Mapping[] {
    const history = this.#historyOf(tgid)
    const changed = history.changes.some((change) => change.mapping === 'exec')
    history.base = changed ? [] : (readMappings(tgid) ?? [])
    return history.base
  }
}
