import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { step } from '../setup/step.ts'
import type { Arch } from './arch.ts'
import { tool, toolVersion } from './tool.ts'
import { keyOf } from './unpack.ts'
import { upstreams } from './upstream.ts'
import { vmlinuxDir } from './vmlinux.ts'

/** The sources of bpf/, without ".bpf.c". */
export function bpfNames(): string[] {
  return readdirSync('bpf')
    .filter((name) => name.endsWith('.bpf.c'))
    .map((name) => name.slice(0, -'.bpf.c'.length))
    .sort()
}

/** v3 has 32-bit jumps, in every kernel since 5.1. */
const flags = '-target bpf -mcpu=v3 -O2 -g -fdebug-compilation-dir=. -Wall -Werror'.split(' ')

/** Compiles one program for one architecture: BTF stays, DWARF goes. */
export async function buildBpf(name: string, arch: Arch, output: string): Promise<void> {
  const source = join('bpf', `${name}.bpf.c`)
  const depfile = join('build', arch.name, 'bpf', `${name}.d`)
  const part = join('build', arch.name, 'bpf', `${name}.o`)
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
      name: `${name}.bpf.o ${arch.name}`,
      inputs: [source, join(vmlinuxDir(arch), 'vmlinux.h')],
      depfile,
      key: [...command, await toolVersion('clang-19'), ...upstreams.map(keyOf)].join(' '),
      outputs: [output],
    },
    async () => {
      mkdirSync(dirname(depfile), { recursive: true })
      mkdirSync(dirname(output), { recursive: true })
      await tool(command)
      await tool(['llvm-strip-19', '-g', part])
      renameSync(part, output)
    },
  )
}
