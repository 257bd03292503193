/** `npm test`: builds what is not built, then runs every test; arguments go to vitest (a file's name, -t …). */
import { $ } from 'zx'
import { fetchKernel } from '../qemu/kernels/fetch-kernel.ts'
import { kernelNames, kernels } from '../qemu/kernels/index.ts'
import { arches } from './cross/arch.ts'
import { build } from './cross/build.ts'
import { buildPrograms } from './cross/programs.ts'

await build()
for (const arch of arches) await buildPrograms(arch)
for (const arch of arches) {
  for (const name of kernelNames) {
    if (!(kernels[name].arches as readonly string[]).includes(arch.debian)) continue
    process.stderr.write(`  kernel ${name} ${arch.name}: ${(await fetchKernel(name, arch)).release}\n`)
  }
}
const run = await $({ nothrow: true, stdio: 'inherit' })`node_modules/.bin/vitest run ${process.argv.slice(2)}`
process.exitCode = run.exitCode ?? 1
