import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { mappingAt, parseMappings, readMappings } from '../../../runner/symbols/proc-maps.ts'
import type { Mapping } from '../../../runner/types.ts'

/** Of an arm64 board, 6.12; the last line as x86_64 has it. */
const real = `\
aaaad6a50000-aaaad6a51000 r-xp 00000000 b3:02 2888                       /opt/programs/pie_demo
aaaad6a6f000-aaaad6a70000 r--p 0000f000 b3:02 2888                       /opt/programs/pie_demo
aaaad6a70000-aaaad6a71000 rw-p 00010000 b3:02 2888                       /opt/programs/pie_demo
aaaae4b7d000-aaaae4b9e000 rw-p 00000000 00:00 0                          [heap]
ffff8a000000-ffff8a021000 rwxp 00000000 00:00 0 
ffff8a9c0000-ffff8ab4a000 r-xp 00026000 b3:02 1234567890                 /usr/lib/aarch64-linux-gnu/libc.so.6
ffff8abf2000-ffff8abf4000 r--p 00000000 00:00 0                          [vvar]
ffff8abf4000-ffff8abf5000 r-xp 00000000 00:00 0                          [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`

test('executable mappings are read, whatever else they are', () => {
  expect(parseMappings(real)).toEqual([
    {
      ...{ start: 0xaaaad6a50000n, end: 0xaaaad6a51000n, offset: 0n, device: 'b3:02', inode: 2888n },
      path: '/opt/programs/pie_demo',
    },
    { start: 0xffff8a000000n, end: 0xffff8a021000n, offset: 0n, device: '00:00', inode: 0n, path: '' },
    {
      ...{ start: 0xffff8a9c0000n, end: 0xffff8ab4a000n, offset: 0x26000n, device: 'b3:02', inode: 1234567890n },
      path: '/usr/lib/aarch64-linux-gnu/libc.so.6',
    },
    { start: 0xffff8abf4000n, end: 0xffff8abf5000n, offset: 0n, device: '00:00', inode: 0n, path: '[vdso]' },
    {
      ...{ start: 0xffffffffff600000n, end: 0xffffffffff601000n, offset: 0n, device: '00:00', inode: 0n },
      path: '[vsyscall]',
    },
  ])
})

function pathOf(written: string): string | undefined {
  return parseMappings(`1000-2000 r-xp 00000000 fe:01 42                                 ${written}\n`)[0]?.path
}

test.each([
  ['/tmp/a b  c', '/tmp/a b  c'],
  ['/tmp/demo (deleted)', '/tmp/demo (deleted)'],
  ['/tmp/two\\012lines', '/tmp/two\nlines'],
  ['/tmp/back\\slash', '/tmp/back\\slash'],
  ['/tmp/carriage\rreturn', '/tmp/carriage\rreturn'],
  ['/memfd:jit (deleted)', '/memfd:jit (deleted)'],
  ['/tmp/gr\xc3\xb6\xc3\x9fe', '/tmp/größe'],
  ['/tmp/\xe2\x80\xa8', '/tmp/\u2028'],
  ['/tmp/\xff', '/tmp/\ufffd'],
])('the path %j is %j', (written, path) => {
  expect(pathOf(written)).toBe(path)
})

test.each([
  '',
  '\n\n',
  'garbage',
  '1000-2000 r-xp',
  '1000 2000 r-xp 00000000 fe:01 42 /a',
  'g000-2000 r-xp 00000000 fe:01 42 /a',
  '1000-2000 r--p 00000000 fe:01 42 /a',
  '1000-2000 r-x 00000000 fe:01 42 /a',
  '1000-2000 r-xp 00000000 fe:01 4x2 /a',
  ' 1000-2000 r-xp 00000000 fe:01 42 /a',
])('%j is no executable mapping', (line) => {
  expect(parseMappings(line)).toEqual([])
})

const mappings = parseMappings(real)

test.each([
  [0xaaaad6a4ffffn, undefined],
  [0xaaaad6a50000n, '/opt/programs/pie_demo'],
  [0xaaaad6a50fffn, '/opt/programs/pie_demo'],
  [0xaaaad6a51000n, undefined],
  [0xffff8a000010n, ''],
  [0xffff8abf4800n, '[vdso]'],
  [0xffffffffff600000n, '[vsyscall]'],
  [0n, undefined],
  [-1n, undefined],
  [1n << 64n, undefined],
])('at %i is %s', (address, path) => {
  expect(mappingAt(mappings, address)?.path).toBe(path)
})

test('nothing is at any address of a process without mappings', () => {
  expect(mappingAt([], 0n)).toBeUndefined()
})

test('a process made to be slow has a mapping found in few steps', () => {
  let looks = 0
  const many = Array.from({ length: 65530 }, (_, index): Mapping => {
    const start = BigInt(index) * 0x2000n
    return {
      get start() {
        looks++
        return start
      },
      ...{ end: start + 0x1000n, offset: 0n, device: '00:00', inode: 0n, path: `${index}` },
    }
  })
  expect(mappingAt(many, 0x2000n * 65529n)?.path).toBe('65529')
  expect(mappingAt(many, 0x2000n * 4711n + 0x1000n)).toBeUndefined()
  expect(looks).toBeLessThan(40)
})

test('our own mappings are listed lowest first, and Node is among them', () => {
  const own = readMappings('self') ?? []
  expect(own.map(({ path }) => path)).toContain('[vdso]')
  expect(own.map(({ path }) => path)).toContain(process.execPath)
  expect([...own].sort((a, b) => (a.start < b.start ? -1 : 1))).toEqual(own)
  expect(readMappings(process.pid)?.find(({ path }) => path === process.execPath)).toEqual(
    own.find(({ path }) => path === process.execPath),
  )
})

test('a process that is gone has no mappings to be read', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  expect(readMappings(child.pid ?? 0)).toBeUndefined()
})
