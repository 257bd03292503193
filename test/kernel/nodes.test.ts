import { expect, test } from 'vitest'
import { nodeLines } from '../../qemu/board-nodes.ts'
import { bootGuest } from '../../qemu/guest.ts'
import { demoChain } from './chains.ts'
import { symbols, traceJson } from './trace-json.ts'

test.each(nodeLines)('the bundle runs with Node %s', async (node) => {
  await using guest = await bootGuest({ arch: 'arm64', kernel: '6.12', node })
  expect((await guest.run(['node', '--version'])).stdout).toMatch(new RegExp(`^v${node}\\.`))
  expect((await guest.run(['fpstack', '--version'])).stdout).toMatch(/^fpstack \d+\.\d+\.\d+ \(libbpf 1\.5, Node \d+/)
  const args = ['kprobe:do_sys_openat2', '--comm', 'static_demo', '--', 'static_demo', '50', '20']
  const trace = await traceJson(guest, args)
  expect(trace.totals.seen).toBe(50)
  expect(symbols(trace.stacks[0]?.user ?? []).slice(0, 5)).toEqual(demoChain)
})
