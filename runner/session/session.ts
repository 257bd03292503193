import { setTimeout } from 'node:timers/promises'
import { errnoText, failure } from '../errors.ts'
import { kernelStackDepth } from '../kernel/stack-depth.ts'
import type { Addon, LinkHandle, ObjectHandle, RingHandle } from '../native.ts'
import { attachEvent } from '../sources/index.ts'
import type { Batch, Global, Sample, Totals, TracePlan } from '../types.ts'
import { attacherFor } from './attach.ts'
import { LibbpfLog } from './libbpf-log.ts'
import { loadObjects } from './open.ts'
import { decodeRecord, keyOf, layout } from './records.ts'
import { freshSeeds } from './seeds.ts'
import { Sideband } from './sideband.ts'
import { readCounts, readTotals } from './tally.ts'

/** What one readRing may bring: many records, and always a whole one (2 × 127 frames and a header). */
const ringRoom = 256 * 1024

/** What one turn of draining reads at most, so that signals are heard in any storm. */
const batchBytes = ringRoom
/** Distinct stacks kept at most, so that a process that makes up stacks cannot take all memory: some 300 MB. */
const mostStacks = 100_000
/** How often the sideband is looked at when no stack is new, in ms. */
const lookMs = 250

/** A finished session: every stack with its weight, and where every event went. */
export interface Harvest {
  readonly samples: readonly Sample[]
  readonly totals: Totals
}

/**
 * The live half of a trace. Open, attach, drain, finish, close, in that order;
 * close in any case. Nothing outlives close: links, maps and programs all go
 * with the descriptors held here, also when the process is killed.
 */
export class Session {
  readonly log: LibbpfLog
  readonly #addon: Addon
  readonly #plan: TracePlan
  readonly #objects: ObjectHandle[] = []
  readonly #links: LinkHandle[] = []
  #ring: RingHandle | undefined
  #sideband: Sideband | undefined
  readonly #room = Buffer.allocUnsafe(ringRoom)
  /** The first record of each key, with the events that were sent one by one; the counts are added at the end. */
  readonly #stacks = new Map<string, Sample>()

  /** Events sent one by one whose stack had no place any more. */
  #dropped = 0

  constructor(addon: Addon, plan: TracePlan) {
    this.log = new LibbpfLog(addon)
    this.#addon = addon
    this.#plan = plan
  }

  /** Opens and loads; nothing counts yet. */
  open(folder: string, ownTgid: number): void {
    const own: Record<string, Global> = {
      own_tgid: { type: 'u32', value: ownTgid },
      kernel_depth: { type: 'u32', value: kernelStackDepth() },
    }
    loadObjects({
      addon: this.#addon,
      log: this.log,
      folder,
      plan: this.#plan,
      own: { ...own, ...freshSeeds() },
      keep: (object) => this.#objects.push(object),
    })
    const first = this.#first()
    for (const comm of this.#plan.comms) {
      const key = Buffer.alloc(16)
      key.write(comm, 'latin1')
      this.#put('comms', key)
    }
    for (const tgid of this.#plan.tgids) this.#put('tgids', new Uint8Array(Uint32Array.of(tgid).buffer))
    const ring = this.#addon.openRing(first, 'records')
    if (typeof ring === 'number') throw failure('open', 'the ring buffer', errnoText(ring))
    this.#ring = ring
    this.#sideband = new Sideband(this.#addon)
  }

  /** From here on events count. */
  attach(): void {
    for (const [index, event] of this.#plan.events.entries()) {
      const object = this.#objects[index]
      if (object === undefined) throw new Error('attach before open')
      attachEvent(
        event,
        attacherFor(this.#addon, object, event, (link) => this.#links.push(link)),
      )
    }
  }

  /** Yields what is new, until stop is called or the limit of events is reached. */
  async *drain(): AsyncGenerator<Batch> {
    const ring = this.#ring
    if (ring === undefined) throw new Error('drain before open')
    for (let pending = this.#addon.waitRing(ring); ; ) {
      // The sideband has no room for long, whether or not there are new stacks.
      const state = await Promise.race([pending, setTimeout(lookMs, undefined, { ref: false })])
      if (state !== undefined && state < 0) throw failure('wait for', 'the ring buffer', errnoText(state))
      const batch = this.#take(ring, batchBytes)
      if (batch.samples.length + batch.processes.length > 0) yield batch
      if (state === 0 || this.#limitReached()) return
      if (state !== undefined) pending = this.#addon.waitRing(ring)
    }
  }

  /** Ends drain, from a signal handler or timer. */
  stop(): void {
    if (this.#ring !== undefined) this.#addon.cancelRing(this.#ring)
  }

  /** Detaches, reads what is left and adds it all up. */
  *finish(): Generator<Batch, Harvest> {
    for (const link of this.#links.splice(0)) this.#addon.closeLink(link)
    const first = this.#first()
    if (this.#ring !== undefined) yield this.#take(this.#ring, Number.POSITIVE_INFINITY)
    let unsent = 0
    for (const { key, events } of readCounts(this.#addon, first)) {
      if (!this.#add(key, events)) unsent += events
    }
    const samples = [...this.#stacks.values()].filter((sample) => sample.weight > 0)
    return {
      samples,
      totals: readTotals(this.#addon, first, { unsent, dropped: this.#dropped, missed: this.#missed() }),
    }
  }

  /** Frees all of it; calling it again is harmless. */
  close(): void {
    for (const link of this.#links.splice(0)) this.#addon.closeLink(link)
    if (this.#ring !== undefined) this.#addon.closeRing(this.#ring)
    this.#ring = undefined
    this.#sideband?.close()
    this.#sideband = undefined
    for (const object of this.#objects.splice(0).reverse()) this.#addon.closeObject(object)
  }

  /** Reads up to about so many bytes; what processes did is read after the stacks, so that it covers them all. */
  #take(ring: RingHandle, most: number): Batch {
    const samples: Sample[] = []
    let total = 0
    while (total < most) {
      const used = this.#addon.readRing(ring, this.#room)
      if (used < 0) throw failure('read', 'the ring buffer', errnoText(used))
      if (used === 0) break
      total += used
      for (let at = 0; at < used; ) {
        const length = this.#room.readUInt32LE(at)
        const sample = this.#keep(this.#room.subarray(at + 4, at + 4 + length))
        at += (4 + length + 7) & ~7
        if (sample !== undefined) samples.push(sample)
      }
    }
    return { processes: this.#sideband?.take() ?? [], samples, behind: total >= most }
  }

  /** Gives the sample if its stack is new: two CPUs may announce one key, and a streamed one comes often. */
  #keep(bytes: Buffer): Sample | undefined {
    const sample = decodeRecord(bytes)
    const key = keyOf(bytes, layout.record.key)
    if (this.#add(key, sample.weight)) return undefined
    // One that is counted in the kernel has its place: the table is smaller than this.
    if (sample.weight > 0 && this.#stacks.size >= mostStacks) {
      this.#dropped += sample.weight
      return undefined
    }
    this.#stacks.set(key, sample)
    return sample
  }

  #add(key: string, events: number): boolean {
    const held = this.#stacks.get(key)
    if (held !== undefined) this.#stacks.set(key, { ...held, weight: held.weight + events })
    return held !== undefined
  }

  #limitReached(): boolean {
    if (this.#plan.eventLimit === undefined) return false
    const value = Buffer.alloc(8)
    const answer = this.#addon.lookup(this.#first(), 'taken', Buffer.alloc(4), value)
    if (answer < 0) throw failure('read', 'the map "taken"', errnoText(answer))
    return value.readBigUInt64LE(0) >= BigInt(this.#plan.eventLimit)
  }

  #missed(): number {
    return this.#objects.reduce((sum, object, index) => {
      const status = this.#addon.programStatus(object, this.#plan.events[index]?.program ?? '')
      return sum + (typeof status === 'number' ? 0 : status.recursionMisses)
    }, 0)
  }

  #put(map: string, key: Uint8Array): void {
    const answer = this.#addon.update(this.#first(), map, key, Uint8Array.of(1))
    if (answer < 0) throw failure('fill', `the map "${map}"`, errnoText(answer))
  }

  #first(): ObjectHandle {
    const first = this.#objects[0]
    if (first === undefined) throw new Error('the session is not open')
    return first
  }
}
