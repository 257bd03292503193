import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arches, archOf } from '../../scripts/cross/arch.ts'
import { readElf } from '../../scripts/cross/elf.ts'
import { allowedSymbols, faults } from '../../scripts/cross/gate.ts'

const x64 = archOf('x64')
const allowed = ['napi_create_double', 'strlen']
const exportsBoth = `
  #include <stddef.h>
  extern size_t strlen(const char *);
  extern int napi_create_double(void *);
  int node_api_module_get_api_version_v1(void) { return 8; }
  size_t napi_register_module_v1(void *env, char *name) { return napi_create_double(env) + strlen(name); }
`
const sound = ['-nostdlib', '-Wl,-z,relro,-z,now,-z,noexecstack']

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpstack-gate-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function compiled(flags: readonly string[], more = '', gcc = 'gcc'): Buffer {
  const source = join(folder, 'addon.c')
  writeFileSync(source, exportsBoth + more)
  const shared = ['-w', '-fPIC', '-shared', '-o', join(folder, 'addon.node'), source]
  execFileSync(gcc, [...shared, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] })
  return readFileSync(join(folder, 'addon.node'))
}

function faultsOf(flags: readonly string[], more?: string): string[] {
  return faults(readElf(compiled(flags, more)), x64, allowed)
}

test('a sound object passes', () => {
  expect(faultsOf(sound)).toEqual([])
})

describe('refuses', () => {
  test.each([
    ['a needed library and its versions', ['-Wl,--no-as-needed', '-Wl,-z,relro,-z,now'], '', 'needs libc.so.6'],
    ['versioned symbols', ['-Wl,-z,relro,-z,now'], '', 'symbols bound to versions of a library'],
    ['a symbol off the list', sound, 'extern int fcntl64(void); int (*p)(void) = fcntl64;', 'undefined: fcntl64'],
    [
      'a weak symbol off the list',
      sound,
      'extern int gone(void) __attribute__((weak)); int (*p)(void) = gone;',
      'undefined: gone',
    ],
    ['a further export', sound, 'int helper(void) { return 1; }', 'exports helper'],
    ['an executable stack', ['-nostdlib', '-Wl,-z,relro,-z,now,-z,execstack'], '', 'executable stack'],
    ['no RELRO', ['-nostdlib', '-Wl,-z,norelro,-z,now,-z,noexecstack'], '', 'no GNU_RELRO'],
    [
      'lazy binding',
      ['-nostdlib', '-Wl,-z,relro,-z,lazy,-z,noexecstack'],
      '',
      'binds symbols lazily, so a missing one shows only when called',
    ],
    ['RUNPATH', [...sound, '-Wl,-rpath,/somewhere,--enable-new-dtags'], '', 'searches libraries in /somewhere'],
    ['RPATH', [...sound, '-Wl,-rpath,/somewhere,--disable-new-dtags'], '', 'searches libraries in /somewhere'],
    ['relocations in code', [...sound, '-Wl,-z,notext'], 'asm(".text\\n.quad strlen\\n");', 'relocations in its code'],
    [
      'packed relocations',
      [...sound, '-Wl,-z,pack-relative-relocs'],
      'static int here; static int *volatile table[] = {&here, &here}; __attribute__((used)) static void *keep(void) { return (void *)table[0]; }',
      'packed relocations: glibc 2.36',
    ],
    [
      'thread-local variables',
      sound,
      'static __thread int last; __attribute__((used)) static int keep(void) { return ++last; }',
      'thread-local variables: __tls_get_addr is elsewhere in musl',
    ],
    ['code that can be written', [...sound, '-Wl,-N'], '', 'a segment both writable and executable'],
  ])('%s', (_, flags, source, fault) => {
    expect(faultsOf(flags, source)).toContain(fault)
  })

  test('an object without one of the two exports', () => {
    expect(faultsOf([...sound, '-Dnapi_register_module_v1=other'])).toEqual([
      'exports other',
      'does not export napi_register_module_v1',
    ])
  })

  test('another machine, and pages too small for it', () => {
    expect(faults(readElf(compiled(sound)), archOf('arm64'), allowed)).toEqual(
      expect.arrayContaining(['wrong machine: e_machine 62, not 183', 'segment aligned to 4096, pages may have 65536']),
    )
  })

  test('an object without section headers, whose symbols it cannot see', () => {
    const bytes = compiled(sound)
    bytes.writeBigUInt64LE(0n, 40)
    bytes.writeUInt16LE(0, 60)
    expect(faults(readElf(bytes), x64, allowed)).toContain('does not export napi_register_module_v1')
  })

  test('what is no whole ELF file', () => {
    const bytes = compiled(sound)
    expect(() => readElf(Buffer.from('#!/bin/sh\n'))).toThrow(RangeError)
    expect(() => readElf(bytes.subarray(0, bytes.length - 200))).toThrow(RangeError)
  })
})

describe.each(arches)('dist/linux-$name', (arch) => {
  const elf = readElf(readFileSync(`dist/linux-${arch.name}/fpstack.node`))

  test('passes', () => {
    expect(faults(elf, arch, allowedSymbols())).toEqual([])
  })

  test('fails as soon as one of its symbols is not allowed', () => {
    const [first, ...others] = allowedSymbols()
    expect(faults(elf, arch, others)).toEqual([`undefined: ${first}`])
  })
})

describe('allowed-symbols.txt', () => {
  const listed = allowedSymbols()

  test('is sorted and has no symbol twice', () => {
    expect(listed).toEqual([...new Set(listed)].sort())
  })

  test('allows nothing that no addon imports', () => {
    const imported = arches.flatMap((arch) =>
      readElf(readFileSync(`dist/linux-${arch.name}/fpstack.node`)).symbols.map(({ name }) => name),
    )
    expect(listed.filter((name) => !imported.includes(name))).toEqual([])
  })
})
