import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'zx'
import { step } from '../setup/step.ts'
import type { Arch } from './arch.ts'

/** A program for the tests: C files of test/programs, and how they are built. */
interface Program {
  readonly sources: readonly string[]
  readonly flags: readonly string[]
  /** A library of this table it is linked to. */
  readonly library?: 'libdemo.so' | 'libdemo_stripped.so'
}

const plain = ['-std=gnu17', '-O2', '-Wall', '-Wextra', '-Werror', '-Wl,--build-id=sha1']
/** Without the second word, both compilers still leave out the frames of leaf functions. */
const framed = ['-fno-omit-frame-pointer', '-mno-omit-leaf-frame-pointer', '-fno-optimize-sibling-calls']
const frameless = [
  ...['-fomit-frame-pointer', '-momit-leaf-frame-pointer'],
  ...['-fno-asynchronous-unwind-tables', '-fno-unwind-tables'],
]

const demo = ['demo_main.c', 'demo_request.c']
const programs: Readonly<Record<string, Program>> = {
  'libdemo.so': { sources: ['demo_by_libc.c'], flags: [...framed, '-fPIC', '-shared'] },
  'libdemo_stripped.so': { sources: ['demo_by_libc.c'], flags: [...framed, '-fPIC', '-shared', '-s'] },
  static_demo: { sources: [...demo, 'demo_by_syscall.c'], flags: [...framed, '-static'] },
  nofp_demo: { sources: [...demo, 'demo_by_syscall.c'], flags: [...frameless, '-static'] },
  pie_demo: { sources: demo, flags: [...framed, '-fPIE', '-pie'], library: 'libdemo.so' },
  stripped_demo: { sources: demo, flags: [...framed, '-fPIE', '-pie', '-s'], library: 'libdemo_stripped.so' },
  forker: { sources: ['forker.c', 'demo_request.c', 'demo_by_syscall.c'], flags: [...framed, '-static'] },
  run_as: { sources: ['run_as.c'], flags: ['-static'] },
}

/** Builds what changed into build/programs/ARCH, which a guest has as /opt/programs. */
export async function buildPrograms(arch: Arch): Promise<void> {
  for (const [name, program] of Object.entries(programs)) await buildProgram(arch, name, program)
}

async function buildProgram(arch: Arch, name: string, { sources, flags, library }: Program): Promise<void> {
  const folder = join('build/programs', arch.name)
  const output = join(folder, name)
  const paths = sources.map((source) => join('test/programs', source))
  const linked = library === undefined ? [] : [join(folder, library)]
  const found = name.endsWith('.so') ? [`-Wl,-soname,${name}`] : ['-Wl,-rpath,$ORIGIN']
  const args = [...plain, ...flags, ...found, ...paths, ...linked]
  const inputs = [...paths, ...linked, 'test/programs/demo.h']
  await step({ name: `program ${name} ${arch.name}`, inputs, key: args.join(' '), outputs: [output] }, async () => {
    mkdirSync(folder, { recursive: true })
    // Two boots may build at once; neither may see half of a file.
    const part = join(folder, `.${name}.${randomUUID()}`)
    await $({ quiet: true })`${arch.gnu}gcc -o ${part} ${args}`
    renameSync(part, output)
  })
}
