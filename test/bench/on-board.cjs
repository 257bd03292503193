/*
 * Runs on the board: what fpstack costs there, as JSON. Times are the guest's, which under --icount are instructions.
 *
 * usage: node on-board.cjs OPENS
 */
const { spawn, spawnSync } = require('node:child_process')
const { readFileSync } = require('node:fs')

const trace = ['fpstack', 'trace', 'kprobe:do_sys_openat2', '--comm', 'static_demo']
const bare = ['node', '-e', 'console.error(0); setInterval(() => {}, 1000)']
const opens = Number(process.argv[2])

/** From exec to the first line on standard error, and the memory held then. */
function untilFirstLine(argv) {
  return new Promise((resolve) => {
    const began = process.hrtime.bigint()
    const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
    let found
    child.stderr.once('data', () => {
      const ms = Number(process.hrtime.bigint() - began) / 1e6
      const rss = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
      found = { ms: Math.round(ms), rssKb: Number(rss?.[1]) }
      child.kill('SIGTERM')
    })
    child.once('exit', () => resolve(found))
  })
}

/** Nanoseconds a round of open and close of the demo. */
function nsEach() {
  const began = process.hrtime.bigint()
  spawnSync('static_demo', [String(opens), '0'])
  return Number(process.hrtime.bigint() - began) / opens
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]
const times = (count, work) => Array.from({ length: count }, work)

async function whileTraced(work) {
  const child = spawn(trace[0], trace.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise((resolve) => child.stderr.once('data', resolve))
  const result = work()
  child.kill('SIGTERM')
  await new Promise((resolve) => child.once('exit', resolve))
  return result
}

async function main() {
  const first = await untilFirstLine(trace)
  const later = [await untilFirstLine(trace), await untilFirstLine(trace), await untilFirstLine(trace)]
  const node = [await untilFirstLine(bare), await untilFirstLine(bare), await untilFirstLine(bare)]
  times(2, nsEach)
  const untraced = median(times(3, nsEach))
  const traced = await whileTraced(() => median(times(3, nsEach)))
  const rss = (runs) => median(runs.map(({ rssKb }) => rssKb))
  process.stdout.write(
    JSON.stringify({
      'exec to armed, first in a boot (ms)': first.ms,
      'exec to armed, later (ms)': median(later.map(({ ms }) => ms)),
      'exec to first line of bare Node (ms)': median(node.map(({ ms }) => ms)),
      'resident when armed (kB)': rss(later),
      'resident, bare Node (kB)': rss(node),
      'one open and close, untraced (ns)': Math.round(untraced),
      'added a traced open (ns)': Math.round(traced - untraced),
    }),
  )
}

main()
