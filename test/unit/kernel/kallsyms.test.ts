import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { indexKallsyms, type KernelSymbol, readKallsyms } from '../../../runner/kernel/kallsyms.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpstack-kallsyms-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Shaped like arm64 6.12: data symbols too, _etext is where read-only data begins, modules unsorted below. */
const arm64 = `\
ffff800080000000 T _text
ffff800080010000 T _stext
ffff800080010000 T __irqentry_text_start
ffff800080010000 t bcm2835_handle_irq
ffff800080010100 T do_sys_openat2
ffff800080010100 T alias_of_openat2
ffff800080010200 t do_filp_open.part.0
ffff800080010300 W arch_weak
ffff800080010400 w arch_weak_too
ffff800080010500 V weak_data
ffff800080010600 r some_table
ffff800080020000 D _etext
ffff800080020000 D __start_rodata
ffff800080030000 T __cfi_check_stub
ffff800080040000 T _sinittext
ffff800080040000 t init_setup
ffff800080050000 T _einittext
ffff800080060000 B _end
ffff80007a002000 t virtio_probe\t[virtio]
ffff80007a001000 T virtio_init\t[virtio]
ffff80007a001800 d virtio_data\t[virtio]
ffff80007b000000 t bpf_prog_6deef7357e7b4530_on_kprobe\t[bpf]
`
const kernel = indexKallsyms(Buffer.from(arm64))

/** Shaped like x86_64 5.10: text types only, absolute per-CPU symbols from 0 on. */
const x64 = `\
0000000000000000 A fixed_percpu_data
0000000000001000 A cpu_debug_store
ffffffff81000000 T startup_64
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000040 T secondary_startup_64
ffffffff81e00b87 T _etext
ffffffffc0000000 t nf_hook\t[nf_tables]
`

function told(found: KernelSymbol | undefined): string | undefined {
  return found && `${found.name}+${found.offset} ${found.object}`
}

test.each([
  [0xffff800080010100n, 'do_sys_openat2+0 kernel'],
  [0xffff8000800101ffn, 'do_sys_openat2+255 kernel'],
  [0xffff800080010200n, 'do_filp_open.part.0+0 kernel'],
  [0xffff800080010304n, 'arch_weak+4 kernel'],
  [0xffff800080010404n, 'arch_weak_too+4 kernel'],
  [0xffff800080040010n, '_sinittext+16 kernel'],
])('%x is kernel text', (address, wanted) => {
  expect(told(kernel.find(address))).toBe(wanted)
})

test('data is not code: it neither names an address nor ends a function', () => {
  expect(told(kernel.find(0xffff800080010508n))).toBe('arch_weak_too+264 kernel')
  expect([...kernel.names()]).not.toContain('weak_data')
  expect([...kernel.names()]).not.toContain('some_table')
})

test('of aliases the first in the table is the one the kernel prints', () => {
  expect(told(kernel.find(0xffff800080010104n))).toBe('do_sys_openat2+4 kernel')
  expect(told(kernel.find(0xffff800080010000n))).toBe('_stext+0 kernel')
})

test('text ends at _etext, whatever type that has', () => {
  expect(told(kernel.find(0xffff80008001fffcn))).toBe('arch_weak_too+64508 kernel')
  expect(kernel.find(0xffff800080020000n)).toBeUndefined()
  expect(kernel.find(0xffff800080030004n)).toBeUndefined()
  expect(kernel.find(0xffff800080050000n)).toBeUndefined()
  expect(kernel.find(0xffff800080060004n)).toBeUndefined()
})

test('text begins at _stext', () => {
  expect(kernel.find(0xffff80008000fffcn)).toBeUndefined()
})

test.each([
  [0xffff80007a001010n, 'virtio_init+16 virtio'],
  [0xffff80007a001ffcn, 'virtio_init+4092 virtio'],
  [0xffff80007a002000n, 'virtio_probe+0 virtio'],
  [0xffff80007a102000n, 'virtio_probe+1048576 virtio'],
  [0xffff80007b000020n, 'bpf_prog_6deef7357e7b4530_on_kprobe+32 bpf'],
])('%x is in a module, though modules come unsorted', (address, wanted) => {
  expect(told(kernel.find(address))).toBe(wanted)
})

test('kallsyms tells no sizes: what is far behind a module has no name', () => {
  expect(kernel.find(0xffff80007a102001n)).toBeUndefined()
  expect(kernel.find(0xffff80007b100001n)).toBeUndefined()
})

test('what lies before every symbol has no name', () => {
  expect(kernel.find(0xffff800079ffffffn)).toBeUndefined()
})

test.each([0n, -1n, 1n, 0x800080010100n, 0x0000aaaabbbbccccn, 0x7fff800080010100n, 1n << 64n, 0xffef800080010100n])(
  '%d is no address of a kernel',
  (address) => {
    expect(kernel.find(address)).toBeUndefined()
  },
)

test('every name of code is there to be suggested, without its module', () => {
  expect([...kernel.names()]).toEqual([
    ...['_text', '_stext', '__irqentry_text_start', 'bcm2835_handle_irq', 'do_sys_openat2', 'alias_of_openat2'],
    ...['do_filp_open.part.0', 'arch_weak', 'arch_weak_too', '__cfi_check_stub', '_sinittext', 'init_setup'],
    ...['_einittext', 'virtio_probe', 'virtio_init', 'bpf_prog_6deef7357e7b4530_on_kprobe'],
  ])
})

test('x86_64 5.10 reads alike', () => {
  const older = indexKallsyms(Buffer.from(x64))
  expect(older.addressesShown).toBe(true)
  expect(told(older.find(0xffffffff81000041n))).toBe('secondary_startup_64+1 kernel')
  expect(told(older.find(0xffffffff81000000n))).toBe('startup_64+0 kernel')
  expect(told(older.find(0xffffffffc0000004n))).toBe('nf_hook+4 nf_tables')
  expect(older.find(0xffffffff81e00b87n)).toBeUndefined()
})

test('hidden addresses name nothing and say so, but the names are there', () => {
  const hidden = indexKallsyms(Buffer.from(arm64.replaceAll(/^[0-9a-f]{16}/gm, '0'.repeat(16))))
  expect(hidden.addressesShown).toBe(false)
  expect(hidden.find(0xffff800080010100n)).toBeUndefined()
  expect(hidden.find(0xfff0000000000000n)).toBeUndefined()
  expect([...hidden.names()]).toContain('do_sys_openat2')
})

test('a kernel without bounds still names what is near', () => {
  const bare = indexKallsyms(Buffer.from('ffff800080010100 T do_sys_openat2\n'))
  expect(told(bare.find(0xffff800080110100n))).toBe('do_sys_openat2+1048576 kernel')
  expect(bare.find(0xffff800080110101n)).toBeUndefined()
})

test('the last line may lack its newline', () => {
  const core = indexKallsyms(Buffer.from('ffff800080010100 T do_sys_openat2'))
  expect(told(core.find(0xffff800080010100n))).toBe('do_sys_openat2+0 kernel')
  const module = indexKallsyms(Buffer.from('ffff80007a001000 t virtio_init\t[virtio]'))
  expect(told(module.find(0xffff80007a001000n))).toBe('virtio_init+0 virtio')
})

test('an empty file names nothing', () => {
  const empty = indexKallsyms(Buffer.alloc(0))
  expect(empty.addressesShown).toBe(false)
  expect(empty.find(0xffff800080010100n)).toBeUndefined()
  expect([...empty.names()]).toEqual([])
})

test('a name is bytes, not UTF-8, and may be that of an object of JavaScript', () => {
  const odd = indexKallsyms(Buffer.from('ffff800080010100 t _toString\nffff800080010200 t caf\xe9\n', 'latin1'))
  expect(told(odd.find(0xffff800080010204n))).toBe('caf\xe9+4 kernel')
  expect(told(odd.find(0xffff800080010104n))).toBe('_toString+4 kernel')
})

test('it is read from a file', () => {
  const path = join(folder, 'kallsyms')
  writeFileSync(path, arm64)
  expect(told(readKallsyms(path).find(0xffff800080010101n))).toBe('do_sys_openat2+1 kernel')
})
