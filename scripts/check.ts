/** `npm run check`: types, then lint and format. */
import { $ } from 'zx'

for (const [name, command] of [
  ['types', ['node_modules/.bin/tsc', '--noEmit']],
  ['lint and format', ['node_modules/.bin/biome', 'check', '.']],
] as const) {
  const run = await $({ nothrow: true, stdio: 'inherit' })`${command}`
  if (run.exitCode === 0) continue
  process.stderr.write(`check: ${name} failed\n`)
  process.exitCode = 1
}
