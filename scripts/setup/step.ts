import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A step that failed for a reason outside our code; run.mjs prints the message alone. */
export class StepError extends Error {
  override name = 'StepError'
}

export interface Step {
  /** What a person reads while it runs; also names its stamp. */
  readonly name: string
  /** Files and folders whose content decides whether the step is due. */
  readonly inputs: readonly string[]
  /** Where a compiler run by the step lists what it read (-MF); those files count as inputs too. */
  readonly depfile?: string
  /** Anything else that decides it: versions, flags. */
  readonly key?: string
  /** Files the step leaves behind; one missing makes it due. */
  readonly outputs: readonly string[]
}

/**
 * Runs work unless its outputs are there and nothing it reads has changed.
 * The stamp is written last, so an interrupted step runs again.
 */
export async function step(about: Step, work: () => Promise<void>): Promise<void> {
  const stamp = join('build', 'stamps', about.name.replaceAll(/[^\w.-]+/g, '-'))
  const known = depfileInputs(about)
  const digest = digestOf(about, known)
  const fresh =
    existsSync(stamp) && readFileSync(stamp, 'utf8') === digest && about.outputs.every((path) => existsSync(path))
  if (fresh) return
  rmSync(stamp, { force: true })
  await timed(about.name, work)
  const absent = about.outputs.find((path) => !existsSync(path))
  if (absent !== undefined) throw new StepError(`${about.name}: ended without making ${absent}`)
  mkdirSync(dirname(stamp), { recursive: true })
  const read = depfileInputs(about)
  // A file edited while the step ran makes it due again, unless it is read here for the first time.
  writeFileSync(stamp, read.join() === known.join() ? digest : digestOf(about, read))
}

/** Tells on standard error that work began, and how long it took. */
export async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  if (process.stderr.isTTY) process.stderr.write(`  ${name} …`)
  try {
    const result = await work()
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}  ${name} (${seconds} s)\n`)
    return result
  } catch (error) {
    process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}  ${name}: failed\n`)
    throw error
  }
}

function digestOf(about: Step, read: readonly string[]): string {
  const hash = createHash('sha256').update(about.key ?? '')
  for (const path of [...about.inputs, ...read].flatMap(filesBelow))
    hash.update(`\0${path}\0`).update(readFileSync(path))
  return hash.digest('hex')
}

/** A make rule: "output: input input \\ input". */
function depfileInputs(about: Step): string[] {
  if (about.depfile === undefined || !existsSync(about.depfile)) return []
  const rule = readFileSync(about.depfile, 'utf8').replaceAll('\\\n', ' ')
  return rule
    .slice(rule.indexOf(': ') + 2)
    .split(/\s+/)
    .filter(Boolean)
}

/** A file that is gone has no content, so the step that read it is due. */
function filesBelow(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  if (!found.isDirectory()) return [path]
  const names = readdirSync(path, { recursive: true, withFileTypes: true })
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
