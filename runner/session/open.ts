import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoText, errorName, errorText, failure } from '../errors.ts'
import { explainRefusal } from '../kernel/permissions.ts'
import type { Addon, Errno, ObjectHandle } from '../native.ts'
import type { Global, TracePlan } from '../types.ts'
import { encodeGlobal } from './globals.ts'
import type { LibbpfLog } from './libbpf-log.ts'

const EPERM = -1
/** ENOMEM, ENFILE, EMFILE: not the object's fault. */
const shortages: readonly Errno[] = [-12, -23, -24]

/** The maps of stacks.bpf.o that all events of a session share. */
const shared = ['cpus', 'counts', 'taken', 'records', 'comms', 'tgids'] as const

export interface LoadJob {
  readonly addon: Addon
  readonly log: LibbpfLog
  /** Where the object lies. */
  readonly folder: string
  readonly plan: TracePlan
  /** Globals that are this session's own. */
  readonly own: Readonly<Record<string, Global>>
  /** Takes each object as soon as it is made, so that a failure in the middle leaves nothing. */
  keep(object: ObjectHandle): void
}

/** Opens, sets up and loads one instance of the object an event. */
export function loadObjects({ addon, log, folder, plan, own, keep }: LoadJob): void {
  const bytes = objectBytes(join(folder, plan.object))
  const accept = (answer: number, operation: string, what: string): void => {
    if (answer < 0) throw refused(answer, operation, what, log)
  }
  let first: ObjectHandle | undefined
  for (const [index, event] of plan.events.entries()) {
    const object = addon.openObject(bytes, plan.object, undefined)
    if (typeof object === 'number') throw notWhole(plan.object, object, log)
    keep(object)
    for (const { name } of addon.programs(object)) {
      accept(addon.setAutoload(object, name, name === event.program), 'select', name)
    }
    const globals = { ...plan.globals, ...own, ...event.globals, event_index: { type: 'u32', value: index } } as const
    setGlobals(addon, object, plan.object, globals)
    if (first !== undefined) for (const map of shared) accept(addon.shareMap(object, map, first), 'share', map)
    accept(addon.load(object), 'load', `${plan.object} (${event.program})`)
    first ??= object
  }
}

function objectBytes(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    const cause = errorName(error) === 'ENOENT' ? 'it is not beside fpstack.cjs' : errorText(error)
    throw failure('open', path, cause, 'copy the whole folder, not the .cjs alone')
  }
}

function notWhole(name: string, errno: Errno, log: LibbpfLog): Error {
  if (shortages.includes(errno)) return failure('open', name, errnoText(errno))
  const cause = `not a whole BPF object (${lastLine(log.latest()) ?? errnoText(errno)})`
  return failure('open', name, cause, 'copy the folder again')
}

function setGlobals(addon: Addon, object: ObjectHandle, file: string, globals: Readonly<Record<string, Global>>): void {
  for (const [name, global] of Object.entries(globals)) {
    const answer = addon.setGlobal(object, name, encodeGlobal(global))
    if (answer === 0) continue
    throw failure(
      'set',
      `${name} of ${file}`,
      errnoText(answer),
      'the object and fpstack.cjs are not of one build: copy the folder again',
    )
  }
}

function refused(errno: Errno, operation: string, what: string, log: LibbpfLog): Error {
  const said = lastLine(log.latest())
  if (errno === EPERM) {
    const { cause, remedy } = explainRefusal('load')
    return failure(operation, what, cause, remedy)
  }
  return failure(
    operation,
    what,
    said === undefined ? errnoText(errno) : `${errnoText(errno)} (${said})`,
    'see --verbose',
  )
}

/** The line of a log that tells most: the last one that is not libbpf's summary of its own failing. */
function lastLine(log: string): string | undefined {
  const lines = log
    .split('\n')
    .map((line) => line.trim().replace(/^libbpf: /, ''))
    .filter((line) => line !== '')
  const telling = lines.filter(
    (line) => !/^(failed to load|failed to open|-- (BEGIN|END))|processed \d+ insns/.test(line),
  )
  return telling.at(-1) ?? lines.at(-1)
}
