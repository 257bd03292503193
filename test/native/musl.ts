import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Arch, archOf } from '../../scripts/cross/arch.ts'
import { copy } from '../../scripts/cross/dist.ts'
import { nodeDir } from '../../scripts/cross/node-headers.ts'
import { tool } from '../../scripts/cross/tool.ts'
import { findPackage, unpackPackage } from '../../scripts/setup/apt.ts'
import { locked } from '../../scripts/setup/lock.ts'
import { step } from '../../scripts/setup/step.ts'

const suite = 'trixie'
const machine = { arm64: 'aarch64', x64: 'x86_64' } as const

/** Makes a folder with musl_host and libc.so, which is also the loader to start it by. */
export async function muslFolder(name: Arch['name']): Promise<string> {
  const arch = archOf(name)
  const folder = join('build', name, 'musl')
  await locked('musl', async () => {
    const libc = join(await unpacked('musl', arch), 'usr/lib', `${machine[name]}-linux-musl/libc.so`)
    const library = join(folder, 'libc.so')
    const host = join(folder, 'musl_host')
    await step({ name: `musl ${name}`, inputs: [libc], outputs: [library] }, async () => copy(libc, library))
    await buildHost(arch, host)
  })
  return folder
}

/** With musl's own headers, start files and library, and none of the compiler's. */
async function buildHost(arch: Arch, output: string): Promise<void> {
  const source = 'test/native/musl_host.c'
  const triplet = `${machine[arch.name]}-linux-musl`
  const libc = join(await unpacked('musl', arch), 'usr/lib', triplet)
  const development = await unpacked('musl-dev', arch)
  const start = (name: string) => join(development, 'usr/lib', triplet, name)
  const command = [
    `${arch.gnu}gcc`,
    ...['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', '-fPIE', '-U_FORTIFY_SOURCE'],
    ...['-fno-stack-protector', '-nostdinc', '-isystem', join(development, 'usr/include', triplet)],
    ...['-I', join(nodeDir(), 'include/node')],
    // the addon finds Node-API in the program that loads it
    ...['-nostdlib', '-pie', '-rdynamic', `-Wl,--dynamic-linker,/lib/ld-musl-${machine[arch.name]}.so.1`],
    ...[start('Scrt1.o'), start('crti.o'), source, `-L${libc}`, '-lc', start('crtn.o'), '-o', output],
  ]
  await step(
    { name: `musl_host ${arch.name}`, inputs: [source], key: command.join(' '), outputs: [output] },
    async () => {
      mkdirSync(dirname(output), { recursive: true })
      await tool(command)
    },
  )
}

async function unpacked(name: string, arch: Arch): Promise<string> {
  const found = await findPackage(name, arch.debian, suite)
  if (found === undefined) throw new Error(`${suite} has no ${name} for ${arch.debian}`)
  return unpackPackage(found)
}
