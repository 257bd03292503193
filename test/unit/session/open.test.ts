import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { planTrace } from '../../../runner/plan/trace-plan.ts'
import { LibbpfLog } from '../../../runner/session/libbpf-log.ts'
import { type LoadJob, loadObjects } from '../../../runner/session/open.ts'
import { FakeAddon } from './fake-addon.ts'

vi.mock('../../../runner/kernel/permissions.ts', () => ({
  explainRefusal: () => ({ cause: 'not permitted: cap_bpf is lacking', remedy: 'run it as root or with cap_bpf' }),
}))

const folder = mkdtempSync(join(tmpdir(), 'fpstack-open-'))
writeFileSync(join(folder, 'stacks.bpf.o'), 'object')
afterAll(() => rmSync(folder, { recursive: true }))

const failed = (message: string) => expect.objectContaining({ code: 'failure', message })

function load(refusals: Record<string, number>, log = '', from = folder): FakeAddon {
  const addon = new FakeAddon()
  addon.log = log
  for (const [call, errno] of Object.entries(refusals)) addon.refusals.set(call, errno)
  loadObjects(jobOf(addon, from, () => {}))
  return addon
}

function jobOf(addon: FakeAddon, from: string, keep: LoadJob['keep']): LoadJob {
  return { addon, log: new LibbpfLog(addon), folder: from, plan: planTrace(['kprobe:vfs_read'], {}, []), own: {}, keep }
}

test('each object opened is handed over before anything can fail', () => {
  const addon = new FakeAddon()
  addon.refusals.set('leave out on_sample of object 1', -22)
  const kept: unknown[] = []
  expect(() => loadObjects(jobOf(addon, folder, (object) => kept.push(object)))).toThrow()
  expect(kept).toHaveLength(1)
})

test('an object that is not there', () => {
  const nowhere = join(folder, 'nowhere')
  expect(() => load({}, '', nowhere)).toThrow(
    failed(`open ${nowhere}/stacks.bpf.o: it is not beside fpstack.cjs; copy the whole folder, not the .cjs alone`),
  )
  const beneath = join(folder, 'stacks.bpf.o')
  expect(() => load({}, '', beneath)).toThrow(
    failed(`open ${beneath}/stacks.bpf.o: ENOTDIR: not a directory; copy the whole folder, not the .cjs alone`),
  )
})

test('an object that is not whole says what libbpf said, else the errno', () => {
  expect(() => load({ open: -22 }, 'libbpf: failed to open\nlibbpf: stacks.bpf.o is not a valid ELF\n')).toThrow(
    failed('open stacks.bpf.o: not a whole BPF object (stacks.bpf.o is not a valid ELF); copy the folder again'),
  )
  expect(() => load({ open: -22 })).toThrow(
    failed('open stacks.bpf.o: not a whole BPF object (EINVAL: invalid argument); copy the folder again'),
  )
})

/** Shaped like what libbpf 1.5 says of a program that the verifier refuses. */
const verifier = `\
libbpf: prog 'on_kprobe': BPF program load failed: Invalid argument
libbpf: prog 'on_kprobe': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
12: (85) call bpf_get_stack#67
R2 unbounded memory access, use 'var &= const' or 'if (var < const)'
processed 13 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
libbpf: failed to load object 'stacks.bpf.o'
`

test('of a refused program the line of the verifier that tells most is given', () => {
  expect(() => load({ load: -22 }, verifier)).toThrow(
    failed(
      'load stacks.bpf.o (on_kprobe): EINVAL: invalid argument ' +
        "(R2 unbounded memory access, use 'var &= const' or 'if (var < const)'); see --verbose",
    ),
  )
})

test('where the log only sums up, its last line is better than none', () => {
  expect(() => load({ load: -12 }, "libbpf: failed to load object 'stacks.bpf.o'\n\n")).toThrow(
    failed(
      "load stacks.bpf.o (on_kprobe): ENOMEM: not enough memory (failed to load object 'stacks.bpf.o'); see --verbose",
    ),
  )
})

test('EPERM is explained by what is lacking, not by the log', () => {
  expect(() => load({ load: -1 }, verifier)).toThrow(
    failed('load stacks.bpf.o (on_kprobe): not permitted: cap_bpf is lacking; run it as root or with cap_bpf'),
  )
})

test('a shortage is not the fault of the object', () => {
  expect(() => load({ open: -24 })).toThrow(failed('open stacks.bpf.o: EMFILE: too many open files'))
})
