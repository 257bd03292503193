import type { Addon, Errno, LinkHandle, ObjectHandle, RingHandle, SidebandHandle } from '../../../runner/native.ts'
import { layout } from '../../../runner/session/records.ts'

type Kind = 'object' | 'link' | 'ring' | 'sideband'

const EBADF = -9
const ENOSPC = -28

/**
 * The addon without a kernel. It keeps the promises of runner/native.ts: an errno
 * for what is refused, -EBADF for what is closed, closing twice harmless.
 */
export class FakeAddon implements Addon {
  /** Every call that opens, closes or changes something, in order. */
  readonly calls: string[] = []
  /** Errno by call, as calls has it: "load object 1", or its first word alone. */
  readonly refusals = new Map<string, Errno>()
  /** What each waitRing brings, and what readRing then gives; after the last it waits for cancelRing. */
  readonly batches: (Buffer[] | Errno)[] = []
  /** What is only there once the links are closed. */
  lastBatch: Buffer[] = []
  /** The table of counts: key bytes and events. */
  readonly counts: (readonly [Buffer, number])[] = []
  /** Room readMap wants before it gives anything, as a kernel with long hash buckets does. */
  bucket = 1
  /** perf's records of what processes did. */
  readonly sideband: Buffer[] = []
  /** Each CPU's totals, by layout.totals. */
  totals: readonly (readonly number[])[] = [[0, 0, 0, 0]]
  taken = 0n
  log = ''
  missed = 0
  readonly #open = new Map<unknown, string>()
  readonly #made: Record<Kind, number> = { object: 0, link: 0, ring: 0, sideband: 0 }
  readonly #ready: Buffer[] = []
  #cancelled = false
  #wake: ((state: number) => void) | undefined

  /** What was opened and not closed. */
  get leaked(): string[] {
    return [...this.#open.values()]
  }

  libbpfVersion(): string {
    return '1.5'
  }

  takeLog(): string {
    const said = this.log
    this.log = ''
    return said
  }

  openObject(bytes: Uint8Array, name: string): ObjectHandle | Errno {
    return this.#make<ObjectHandle>('object', `open ${name} of ${bytes.length} bytes`)
  }

  closeObject(object: ObjectHandle): void {
    this.#close(object)
  }

  programs(): { name: string; section: string; type: number }[] {
    return ['on_kprobe', 'on_tracepoint', 'on_sample'].map((name) => ({ name, section: '', type: 0 }))
  }

  maps(): { name: string; type: number; keySize: number; valueSize: number; maxEntries: number }[] {
    // Not a multiple of 8, which the stride of a per-CPU map's values is.
    const cpus = { name: 'cpus', type: 6, keySize: 4, valueSize: 2147, maxEntries: 1 }
    return [{ ...cpus, name: 'other', valueSize: 4 }, cpus]
  }

  setAutoload(object: ObjectHandle, program: string, on: boolean): Errno | 0 {
    return this.#on(object, `${on ? 'select' : 'leave out'} ${program} of`)
  }

  setAutocreate(): never {
    throw new Error('setAutocreate: not used')
  }

  setMaxEntries(): never {
    throw new Error('setMaxEntries: not used')
  }

  setGlobal(object: ObjectHandle, name: string, value: Uint8Array): Errno | 0 {
    const shown = name.startsWith('seed_') ? 'anything' : Buffer.from(value).toString('hex')
    return this.#on(object, `set ${name} to ${shown} in`)
  }

  shareMap(object: ObjectHandle, map: string, from: ObjectHandle): Errno | 0 {
    return this.#on(object, `share ${map} of ${this.#open.get(from)} with`)
  }

  load(object: ObjectHandle): Errno | 0 {
    return this.#on(object, 'load')
  }

  programStatus(
    object: ObjectHandle,
  ): { id: number; tag: string; recursionMisses: number; jitedBytes: number } | Errno {
    if (!this.#open.has(object)) return EBADF
    return this.refusals.get('programStatus') ?? { id: 1, tag: '', recursionMisses: this.missed, jitedBytes: 0 }
  }

  attachKprobe(object: ObjectHandle, program: string, symbol: string, offset: number): LinkHandle | Errno {
    return this.#attach(object, `attach ${program} to ${symbol}+${offset}`)
  }

  attachTracepoint(object: ObjectHandle, program: string, category: string, name: string): LinkHandle | Errno {
    return this.#attach(object, `attach ${program} to ${category}:${name}`)
  }

  attachPerfEvent(
    object: ObjectHandle,
    program: string,
    event: { readonly cpu: number; readonly frequency?: bigint },
  ): LinkHandle | Errno {
    return this.#attach(object, `attach ${program} at ${event.frequency} Hz on ${event.cpu}`)
  }

  closeLink(link: LinkHandle): void {
    this.#close(link)
    if (![...this.#open.values()].some((name) => name.startsWith('link'))) this.#ready.push(...this.lastBatch.splice(0))
  }

  possibleCpus(): number {
    return this.totals.length
  }

  lookup(object: ObjectHandle, map: string, _key: Uint8Array, value: Uint8Array): Errno | 0 {
    if (!this.#open.has(object)) return EBADF
    const refusal = this.refusals.get(`lookup ${map}`)
    if (refusal !== undefined) return refusal
    const view = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    if (map === 'taken') view.writeBigUInt64LE(this.taken)
    else
      for (const [cpu, totals] of this.totals.entries())
        for (const [slot, events] of totals.entries()) view.writeBigUInt64LE(BigInt(events), cpu * 2152 + 8 * slot)
    return 0
  }

  update(object: ObjectHandle, map: string, key: Uint8Array, value: Uint8Array): Errno | 0 {
    return this.#on(
      object,
      `put ${Buffer.from(key).toString('hex')}=${Buffer.from(value).toString('hex')} into ${map} of`,
    )
  }

  readMap(_object: ObjectHandle, map: string, cursor: Uint8Array, keys: Uint8Array, values: Uint8Array): number {
    const refusal = this.refusals.get(`readMap ${map}`)
    if (refusal !== undefined) return refusal
    const room = Math.min(keys.length / layout.key.size, values.length / layout.count.size)
    if (room < this.bucket) return ENOSPC
    const view = Buffer.from(cursor.buffer, cursor.byteOffset, cursor.byteLength)
    const from = view.readUInt32LE(0)
    const entries = this.counts.slice(from, from + room)
    view.writeUInt32LE(from + entries.length, 0)
    for (const [index, [key, events]] of entries.entries()) {
      keys.set(key, index * layout.key.size)
      Buffer.from(values.buffer, values.byteOffset).writeBigUInt64LE(BigInt(events), index * layout.count.size)
    }
    return entries.length
  }

  openRing(_object: ObjectHandle, map: string): RingHandle | Errno {
    return this.#make<RingHandle>('ring', `listen to ${map}`)
  }

  waitRing(): Promise<number> {
    if (this.#cancelled) return Promise.resolve(0)
    const batch = this.batches.shift()
    if (typeof batch === 'number') return Promise.resolve(batch)
    if (batch === undefined) return new Promise((resolve) => (this.#wake = resolve))
    this.#ready.push(...batch)
    return Promise.resolve(1)
  }

  cancelRing(): void {
    this.#cancelled = true
    this.#wake?.(0)
  }

  readRing(ring: RingHandle, buffer: Buffer): number | Errno {
    if (!this.#open.has(ring)) return EBADF
    const refusal = this.refusals.get('readRing')
    if (refusal !== undefined) return refusal
    let used = 0
    // Never all at once, so that a batch takes more than one call.
    for (const record of this.#ready.splice(0, 2 + (this.#ready.length >> 6))) {
      buffer.writeUInt32LE(record.length, used)
      record.copy(buffer, used + 4)
      used += (4 + record.length + 7) & ~7
    }
    return used
  }

  closeRing(ring: RingHandle): void {
    this.#close(ring)
  }

  openSideband(pages: number): SidebandHandle | Errno {
    return this.#make<SidebandHandle>('sideband', `watch with ${pages} pages`)
  }

  readSideband(sideband: SidebandHandle, buffer: Buffer): number {
    if (!this.#open.has(sideband)) return 0
    let used = 0
    for (const record of this.sideband.splice(0)) used += record.copy(buffer, used)
    return used
  }

  closeSideband(sideband: SidebandHandle): void {
    this.#close(sideband)
  }

  kernelPrograms(): never {
    throw new Error('kernelPrograms: not used')
  }

  kernelLinks(): never {
    throw new Error('kernelLinks: not used')
  }

  #make<Handle>(kind: Kind, call: string): Handle | Errno {
    const refusal = this.#refusal(call)
    if (refusal !== undefined) return refusal
    // What a handle is, only the addon knows; its type cannot be made out here.
    const handle = {} as Handle
    this.#open.set(handle, `${kind} ${++this.#made[kind]}`)
    return handle
  }

  #attach(object: ObjectHandle, call: string): LinkHandle | Errno {
    return this.#open.has(object) ? this.#make<LinkHandle>('link', `${call} by ${this.#open.get(object)}`) : EBADF
  }

  #on(object: ObjectHandle, call: string): Errno | 0 {
    const name = this.#open.get(object)
    return name === undefined ? EBADF : (this.#refusal(`${call} ${name}`) ?? 0)
  }

  #refusal(call: string): Errno | undefined {
    this.calls.push(call)
    return this.refusals.get(call) ?? this.refusals.get(call.split(' ')[0] ?? '')
  }

  #close(handle: unknown): void {
    const name = this.#open.get(handle)
    if (name !== undefined) this.calls.push(`close ${name}`)
    this.#open.delete(handle)
  }
}
