/** `npm run bench`: what fpstack costs a board, arm64 6.12 under --icount, so that figures repeat to about 1 %. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bootGuest } from '../../qemu/guest.ts'
import { build } from '../../scripts/cross/build.ts'

const opens = 50_000
const bundle = 'dist/linux-arm64'

await build()
await using board = await bootGuest({ arch: 'arm64', kernel: '6.12', icount: true, add: ['test/bench'] })
const run = await board.run(['node', '/add/bench/on-board.cjs', String(opens)], { timeoutMs: 10 * 60_000 })
if (run.code !== 0) throw new Error(`the board's part failed: ${run.stderr}`)
const bytes = readdirSync(bundle).reduce((sum, name) => sum + statSync(join(bundle, name)).size, 0)
const figures: Record<string, number> = { 'size of the bundle (bytes)': bytes, ...JSON.parse(run.stdout) }
for (const [what, figure] of Object.entries(figures)) process.stdout.write(`${what.padEnd(40)}${figure}\n`)
