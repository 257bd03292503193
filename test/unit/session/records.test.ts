import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { maxDepth, planTrace } from '../../../runner/plan/trace-plan.ts'
import { encodeGlobal } from '../../../runner/session/globals.ts'
import { decodeRecord, keyOf, layout } from '../../../runner/session/records.ts'
import { freshSeeds } from '../../../runner/session/seeds.ts'

/** One fp_record as the kernel sends it, written out by hand: two kernel frames, one user frame. */
const key = [
  ...['1111111111111111', '2222222222222222'],
  ...['39300000', '3a300000', '02000000', '010e0000'],
  '6c732d6c61000000ffffffffffffffff',
].join('')
const known = [
  key,
  ...['00000000', '3b300000', '02000000', '01000000', '15cd5b0700000000', 'efbeaddefecaefbe'],
  ...['0001018000800fff', '1001018000800fff', '785634bbaaaa0000'],
].join('')

test('a record is decoded', () => {
  expect(decodeRecord(Buffer.from(known, 'hex'))).toEqual({
    ...{ event: 2, tgid: 12345, tid: 12346, comm: 'ls-la', weight: 0, time: 123456789n },
    kernel: [0xff0f800080010100n, 0xff0f800080010110n],
    user: [0x0000aaaabb345678n],
    caller: 0xbeefcafedeadbeefn,
    kernelState: { cut: true, errno: 14 },
    userState: { cut: false, errno: 0 },
  })
})

test('each side has its own flags', () => {
  const bytes = Buffer.from(known, 'hex')
  bytes.writeUInt32LE((0xff << 16) | 0x2, layout.key.flags)
  expect(decodeRecord(bytes)).toMatchObject({
    kernelState: { cut: false, errno: 0 },
    userState: { cut: true, errno: 255 },
  })
})

test.each([
  ['', ''],
  ['0123456789abcdef', '0123456789abcdef'],
  ['\xff\xfe\x1b[2J', '\xff\xfe\x1b[2J'],
])('the comm %j is bytes up to the first NUL, or all 16', (written, comm) => {
  const bytes = Buffer.from(known, 'hex')
  bytes.fill(0, layout.key.comm, layout.key.comm + 16)
  bytes.write(written, layout.key.comm, 'latin1')
  expect(decodeRecord(bytes).comm).toBe(comm)
})

test('a stack may be empty', () => {
  const bytes = Buffer.from(known, 'hex').subarray(0, layout.record.size)
  bytes.writeUInt32LE(0, layout.record.kernelFrames)
  bytes.writeUInt32LE(0, layout.record.userFrames)
  expect(decodeRecord(bytes)).toMatchObject({ kernel: [], user: [] })
})

test.each([
  [3, 1],
  [2, 2],
  [0, 4],
  [4, 0],
  [0xffffffff, 0],
  [0, 0xffffffff],
  [0xffffffff, 0xffffffff],
  [0x20000000, 0],
])('a record that claims %i and %i frames but has three is a RangeError', (kernelFrames, userFrames) => {
  const bytes = Buffer.from(known, 'hex')
  bytes.writeUInt32LE(kernelFrames, layout.record.kernelFrames)
  bytes.writeUInt32LE(userFrames, layout.record.userFrames)
  expect(() => decodeRecord(bytes)).toThrow(RangeError)
})

test('a record cut off anywhere is a RangeError', () => {
  const bytes = Buffer.from(known, 'hex')
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeRecord(bytes.subarray(0, length)), `${length} bytes`).toThrow(RangeError)
  }
})

test('keys differ if one bit does', () => {
  const bytes = Buffer.from(key, 'hex')
  const all = new Set([keyOf(bytes, 0)])
  for (let bit = 0; bit < 8 * layout.key.size; bit++) {
    const other = Buffer.from(bytes)
    other.writeUInt8((other[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3)
    all.add(keyOf(Buffer.concat([Buffer.alloc(3), other, Buffer.alloc(3)]), 3))
  }
  expect(all.size).toBe(1 + 8 * layout.key.size)
})

interface Member {
  readonly name: string
  readonly type_id: number
  readonly bits_offset: number
}
interface BtfType {
  readonly id: number
  readonly kind: string
  readonly name: string
  readonly size?: number
  readonly members?: readonly Member[]
  readonly nr_elems?: number
  readonly type_id?: number
  readonly vars?: readonly { readonly type_id: number; readonly size: number }[]
}

function btfOf(arch: string): readonly BtfType[] {
  const dumped = execFileSync('bpftool', ['btf', 'dump', 'file', `dist/linux-${arch}/stacks.bpf.o`, '--json'])
  return (JSON.parse(dumped.toString()) as { types: BtfType[] }).types
}

function named(btf: readonly BtfType[], kind: string, name: string): BtfType {
  const found = btf.find((type) => type.kind === kind && type.name === name)
  if (found === undefined) throw new Error(`the object has no ${kind} ${name}`)
  return found
}

/** "kernel_frames" of C as TypeScript has it: kernelFrames. */
function offsets({ size, members = [] }: BtfType): Record<string, number> {
  const camel = (name: string) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  return { size: size ?? 0, ...Object.fromEntries(members.map((part) => [camel(part.name), part.bits_offset / 8])) }
}

function elements(btf: readonly BtfType[], struct: string, member: string): number | undefined {
  const id = named(btf, 'STRUCT', struct).members?.find(({ name }) => name === member)?.type_id
  return btf.find((type) => type.id === id)?.nr_elems
}

/** BTF has a map as a struct of pointers to arrays as long as the number that is meant. */
function mapEntries(btf: readonly BtfType[], map: string): number | undefined {
  const struct = btf.find((type) => type.id === named(btf, 'VAR', map).type_id)
  const pointer = struct?.members?.find(({ name }) => name === 'max_entries')?.type_id
  const array = btf.find((type) => type.id === pointer)?.type_id
  return btf.find((type) => type.id === array)?.nr_elems
}

test.each(['arm64', 'x64'])('the built object for %s is laid out as it is decoded', (arch) => {
  const btf = btfOf(arch)
  expect(offsets(named(btf, 'STRUCT', 'fp_key'))).toEqual(layout.key)
  expect(offsets(named(btf, 'STRUCT', 'fp_count'))).toEqual(layout.count)
  const { frames, ...record } = layout.record
  expect(offsets(named(btf, 'STRUCT', 'fp_record'))).toEqual(record)
  // The frames follow; in the scratch of a CPU they do so as a member.
  const scratch = offsets(named(btf, 'STRUCT', 'fp_cpu'))
  expect(scratch).toMatchObject({ totals: 0, frames: (scratch.record ?? 0) + frames })
  expect(elements(btf, 'fp_key', 'comm')).toBe(16)
  expect(elements(btf, 'fp_cpu', 'totals')).toBe(Object.keys(layout.totals).length)
})

test.each(['arm64', 'x64'])('the built object for %s has the limits that plans keep to', (arch) => {
  const btf = btfOf(arch)
  expect(elements(btf, 'fp_cpu', 'frames')).toBeGreaterThanOrEqual(2 * (maxDepth + 1))
  const most = mapEntries(btf, 'comms') ?? 0
  const plan = (length: number) => planTrace(['profile:hz:99'], { comm: Array<string>(length).fill('sh') }, [])
  expect(plan(most).comms).toHaveLength(most)
  expect(() => plan(most + 1)).toThrow(`${most + 1} names are given, ${most} can be`)
})

test.each(['arm64', 'x64'])('the built object for %s has every global that is set, as wide as it is set', (arch) => {
  const btf = btfOf(arch)
  const widths = new Map(
    named(btf, 'DATASEC', '.rodata').vars?.map(({ type_id, size }) => [
      btf.find(({ id }) => id === type_id)?.name,
      size,
    ]),
  )
  const plan = planTrace(['kprobe:vfs_read', 'tracepoint:a:b', 'profile:hz:99'], {}, [])
  const set = { ...plan.globals, ...freshSeeds(), ...Object.assign({}, ...plan.events.map(({ globals }) => globals)) }
  const sizes = Object.entries<(typeof plan.globals)[string]>(set).map(([name, to]) => [name, encodeGlobal(to).length])
  // What a session adds: session.ts and open.ts.
  expect(new Map([...sizes, ['own_tgid', 4], ['kernel_depth', 4], ['event_index', 4]] as [string, number][])).toEqual(
    widths,
  )
})

test("the header's constants are those of the decoder", () => {
  const header = readFileSync('bpf/stacks.h', 'utf8')
  const defined = Object.fromEntries(
    [...header.matchAll(/^#define (FP_\w+) (\w+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  )
  expect(defined).toEqual({
    FP_MAX_DEPTH: maxDepth,
    FP_COMM_LEN: 16,
    FP_KERNEL_CUT: layout.flags.kernelCut,
    FP_USER_CUT: layout.flags.userCut,
    FP_KERNEL_ERRNO_SHIFT: layout.flags.kernelErrno,
    FP_USER_ERRNO_SHIFT: layout.flags.userErrno,
  })
  // Only used as an index, the enum is in no BTF.
  const body = /enum fp_total \{([^}]*)\}/.exec(header)?.[1]?.replaceAll(/\/\*.*?\*\//gs, '') ?? ''
  const slots = body.split(',').map((name) => name.trim().replace('FP_', '').toLowerCase())
  expect(slots).toEqual([...Object.keys(layout.totals), 'totals', ''])
  expect(Object.values(layout.totals)).toEqual([0, 1, 2, 3])
})
