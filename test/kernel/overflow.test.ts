import { expect, test } from 'vitest'
import { bootGuest } from '../../qemu/guest.ts'

/** Four processes in turn, of which the table of counts has room for one. */
const opens = 4000
const command = `for i in 1 2 3 4; do /opt/programs/static_demo ${opens} 0; done`

test.each(['5.10', 'rt'] as const)('a full table and a full ring lose nothing unsaid: arm64 %s', async (kernel) => {
  await using guest = await bootGuest({ arch: 'arm64', kernel, add: ['test/kernel/on-board'] })
  const run = await guest.run(['node', '/add/on-board/overflow.cjs', 'sh', '-c', command], { timeoutMs: 120_000 })
  expect(run.code, run.stderr).toBe(0)
  const { totals, announced, streamed, wrong, keys, bytes } = JSON.parse(run.stdout)
  expect(totals.seen).toBe(4 * opens)
  expect(totals.seen).toBe(totals.counted + totals.streamed + totals.unsent)
  expect(totals.counted).toBe(opens)
  expect(streamed).toBe(totals.streamed)
  expect(announced).toBeGreaterThanOrEqual(1)
  expect(wrong).toBe(0)
  // Else the test has not tried what it is for.
  expect(streamed).toBeGreaterThan(100)
  expect(bytes).toBeGreaterThan(3 * 16384)
  // A process may find the ring full for all of its time.
  expect(keys).toBeGreaterThanOrEqual(2)
})
