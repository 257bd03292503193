import { readFileSync } from 'node:fs'
import { StepError, step } from '../setup/step.ts'
import type { Arch } from './arch.ts'
import { copy } from './dist.ts'
import { type Elf, readElf } from './elf.ts'

/** Symbols that every glibc since 2.17, musl and every Node since 18 have; one a line, sorted. */
export const allowedPath = 'native/allowed-symbols.txt'

const exported = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']

const sharedObject = 3
const segment = { load: 1, interpreter: 3, threadLocal: 7, stack: 0x6474e551, relro: 0x6474e552 } as const
const executable = 1
const writable = 2
const tag = { needed: 1, rpath: 15, textrel: 22, bindNow: 24, runpath: 29, flags: 30, relr: 36 } as const
const versionsNeeded = 0x6ffffffe
const flags1 = 0x6ffffffb
const flagTextrel = 4
const flagBindNow = 8
const flag1Now = 1

/** Lets the addon into dist only if it loads wherever the architecture's Node runs. */
export async function passGate(from: string, to: string, arch: Arch): Promise<void> {
  const inputs = [from, allowedPath, 'scripts/cross/gate.ts', 'scripts/cross/elf.ts']
  await step({ name: `gate ${arch.name}`, inputs, outputs: [to] }, async () => {
    const found = faults(readElf(readFileSync(from)), arch, allowedSymbols())
    if (found.length > 0) throw new StepError(`${from} may not go to a board:\n  ${found.join('\n  ')}`)
    copy(from, to)
  })
}

export function allowedSymbols(): string[] {
  return readFileSync(allowedPath, 'utf8').split('\n').filter(Boolean)
}

/** Why this addon would not load on some board; nothing when it would. */
export function faults(elf: Elf, arch: Arch, allowed: readonly string[]): string[] {
  return [...headerFaults(elf, arch), ...segmentFaults(elf, arch), ...dynamicFaults(elf), ...symbolFaults(elf, allowed)]
}

function headerFaults(elf: Elf, arch: Arch): string[] {
  const found: string[] = []
  if (elf.type !== sharedObject) found.push(`not a shared object: e_type ${elf.type}`)
  if (elf.machine !== arch.machine) found.push(`wrong machine: e_machine ${elf.machine}, not ${arch.machine}`)
  return found
}

function segmentFaults(elf: Elf, arch: Arch): string[] {
  const of = (type: number) => elf.segments.filter((one) => one.type === type)
  const found: string[] = []
  if (of(segment.stack).length === 0) found.push('no GNU_STACK: the stack would become executable')
  if (of(segment.stack).some(({ flags }) => flags & executable)) found.push('executable stack')
  if (of(segment.relro).length === 0) found.push('no GNU_RELRO')
  if (of(segment.threadLocal).length > 0) found.push('thread-local variables: __tls_get_addr is elsewhere in musl')
  if (of(segment.interpreter).length > 0) found.push('names a program interpreter')
  for (const { flags, align } of of(segment.load)) {
    if (flags & writable && flags & executable) found.push('a segment both writable and executable')
    if (align < arch.maxPageSize) found.push(`segment aligned to ${align}, pages may have ${arch.maxPageSize}`)
  }
  return found
}

function dynamicFaults(elf: Elf): string[] {
  const of = (wanted: number) => elf.dynamic.filter((entry) => entry.tag === wanted)
  const bits = (wanted: number) => of(wanted).reduce((all, { value }) => all | value, 0)
  const found = of(tag.needed).map(({ text }) => `needs ${text}`)
  for (const { text } of [...of(tag.rpath), ...of(tag.runpath)]) found.push(`searches libraries in ${text}`)
  if (of(versionsNeeded).length > 0) found.push('symbols bound to versions of a library')
  if (of(tag.relr).length > 0) found.push('packed relocations: glibc 2.36')
  if (of(tag.textrel).length > 0 || bits(tag.flags) & flagTextrel) found.push('relocations in its code')
  const bindsNow = of(tag.bindNow).length > 0 || bits(tag.flags) & flagBindNow || bits(flags1) & flag1Now
  if (!bindsNow) found.push('binds symbols lazily, so a missing one shows only when called')
  return found
}

function symbolFaults(elf: Elf, allowed: readonly string[]): string[] {
  const imports = elf.symbols.filter((symbol) => !symbol.isDefined).map(({ name }) => name)
  const exports = elf.symbols.filter((symbol) => symbol.isDefined).map(({ name }) => name)
  const found = imports.filter((name) => !allowed.includes(name)).map((name) => `undefined: ${name}`)
  for (const name of exports) if (!exported.includes(name)) found.push(`exports ${name}`)
  for (const name of exported) if (!exports.includes(name)) found.push(`does not export ${name}`)
  return found
}
