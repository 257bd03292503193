import { expect, test } from 'vitest'
import { readMappings } from '../../../runner/symbols/proc-maps.ts'
import { Processes } from '../../../runner/symbols/processes.ts'
import type { Mapping } from '../../../runner/types.ts'

/** No process has such a pid (pid_max is at most 2^22), so that /proc has nothing to add. */
const tgid = 5_000_000

function mapping(start: bigint, path: string): Mapping {
  return { start, end: start + 0x1000n, offset: 0n, device: '00:01', inode: 1n, path }
}

function started(): Processes {
  const processes = new Processes()
  processes.apply({ kind: 'exec', time: 10n, tgid })
  processes.apply({ kind: 'map', time: 11n, tgid, mapping: mapping(0x1000n, '/bin/first') })
  return processes
}

test('an address is in what was mapped at the time, not later', () => {
  const processes = started()
  expect(processes.find(tgid, 12n, 0x1800n)?.path).toBe('/bin/first')
  expect(processes.find(tgid, 12n, 0x2000n)).toBeUndefined()
  expect(processes.find(tgid, 10n, 0x1800n)).toBeUndefined()
})

test('a mapping over another hides it from then on', () => {
  const processes = started()
  processes.apply({ kind: 'map', time: 20n, tgid, mapping: mapping(0x1000n, '/lib/later') })
  expect(processes.find(tgid, 19n, 0x1800n)?.path).toBe('/bin/first')
  expect(processes.find(tgid, 20n, 0x1800n)?.path).toBe('/lib/later')
})

test('an exec ends all that was mapped, for stacks taken after it', () => {
  const processes = started()
  processes.apply({ kind: 'exec', time: 30n, tgid })
  processes.apply({ kind: 'map', time: 31n, tgid, mapping: mapping(0x9000n, '/bin/second') })
  expect(processes.find(tgid, 32n, 0x1800n)).toBeUndefined()
  expect(processes.find(tgid, 32n, 0x9800n)?.path).toBe('/bin/second')
  expect(processes.find(tgid, 29n, 0x1800n)?.path).toBe('/bin/first')
})

test('a child begins with what its parent had, and goes its own way', () => {
  const processes = started()
  processes.apply({ kind: 'fork', time: 20n, tgid: tgid + 1, parent: tgid })
  processes.apply({ kind: 'map', time: 21n, tgid, mapping: mapping(0x5000n, '/lib/of-parent') })
  expect(processes.find(tgid + 1, 22n, 0x1800n)?.path).toBe('/bin/first')
  expect(processes.find(tgid + 1, 22n, 0x5800n)).toBeUndefined()
})

/** An address in this process's own code. */
function codeOfNode(): { address: bigint; path: string } {
  const mapping = readMappings('self')?.find(({ path }) => path === process.execPath)
  if (mapping === undefined) throw new Error('Node maps no code of its own')
  return { address: mapping.start + 16n, path: mapping.path }
}

test('a process that is older than the trace is read from /proc, for its children too', () => {
  const { address, path } = codeOfNode()
  const processes = new Processes()
  processes.apply({ kind: 'fork', time: 2n, tgid, parent: process.pid })
  expect(processes.find(process.pid, 3n, address)?.path).toBe(path)
  expect(processes.find(tgid, 3n, address)?.path).toBe(path)
  expect(processes.find(process.pid, 3n, 1n)).toBeUndefined()
})

test('one that was older and has called exec meanwhile is known no more', () => {
  const processes = new Processes()
  processes.apply({ kind: 'exec', time: 50n, tgid: process.pid })
  expect(processes.find(process.pid, 40n, codeOfNode().address)).toBeUndefined()
})

test('an ended process is kept for the stacks that are still to come, then forgotten', () => {
  const processes = started()
  processes.apply({ kind: 'exit', time: 20n, tgid })
  processes.forgetEnded()
  expect(processes.find(tgid, 12n, 0x1800n)?.path).toBe('/bin/first')
  processes.forgetEnded()
  expect(processes.find(tgid, 12n, 0x1800n)).toBeUndefined()
})

test('a pid that is taken again is not forgotten with the one before', () => {
  const processes = started()
  processes.apply({ kind: 'exit', time: 20n, tgid })
  processes.forgetEnded()
  processes.apply({ kind: 'fork', time: 21n, tgid, parent: tgid + 7 })
  processes.apply({ kind: 'map', time: 22n, tgid, mapping: mapping(0x7000n, '/lib/again') })
  processes.forgetEnded()
  processes.forgetEnded()
  expect(processes.find(tgid, 23n, 0x7800n)?.path).toBe('/lib/again')
})

test('after a loss nothing is believed that /proc does not say', () => {
  const processes = started()
  processes.apply({ kind: 'lost', time: 20n })
  expect(processes.find(tgid, 21n, 0x1800n)).toBeUndefined()
})
