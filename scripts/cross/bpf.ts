import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { step } from '../setup/step.ts'
import type { Arch } from './arch.ts'
import { tool, toolVersion } from './tool.ts'
import { keyOf } from './unpack.ts'
import { upstreams } from './upstream.ts'
import { vmlinuxDir } from './vmlinux.ts'

/** The programs of bpf/. */
export function bpfSources(): string[] {
  return readdirSync('bpf')
    .filter((name) => name.endsWith('.bpf.c'))
    .sort()
    .map((name) => join('bpf', name))
}

/** NAME.bpf.o of a path to NAME.bpf.c. */
export function bpfObjectName(source: string): string {
  return basename(source).replace(/\.c$/, '.o')
}

/** v3 has 32-bit jumps, in every kernel since 5.1. */
const flags = '-target bpf -mcpu=v3 -O2 -g -fdebug-compilation-dir=. -Wall -Werror'.split(' ')

/** Compiles one program for one architecture: BTF stays, DWARF goes. */
export async function buildBpf(source: string, arch: Arch, folder: string): Promise<void> {
  const name = bpfObjectName(source)
  const part = join('build', arch.name, 'bpf', name)
  const depfile = `${part}.d`
  const output = join(folder, name)
  const command = [
    'clang-19',
    ...flags,
    `-D__TARGET_ARCH_${arch.bpf}`,
    // not -I: the dependency file is for our own headers
    '-isystem',
    vmlinuxDir(arch),
    '-isystem',
    'build/include',
    '-MMD',
    '-MF',
    depfile,
    '-c',
    source,
    '-o',
    part,
  ]
  await step(
    {
      name: `${name} ${arch.name}`,
      inputs: [source, join(vmlinuxDir(arch), 'vmlinux.h')],
      depfile,
      key: [...command, await toolVersion('clang-19'), ...upstreams.map(keyOf)].join(' '),
      outputs: [output],
    },
    async () => {
      mkdirSync(dirname(depfile), { recursive: true })
      mkdirSync(folder, { recursive: true })
      await tool(command)
      await tool(['llvm-strip-19', '-g', part])
      renameSync(part, output)
    },
  )
}
