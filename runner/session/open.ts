import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoText, errorName, errorText, failure } from '../errors.ts'
import { explainRefusal } from '../kernel/permissions.ts'
import type { Addon, ObjectHandle } from '../native.ts'
import type { EventPlan, Global, TracePlan } from '../types.ts'
import { encodeGlobal } from './globals.ts'

const EPERM = -1

/** The maps of stacks.bpf.o that all events of a session share. */
const shared = ['cpus', 'counts', 'taken', 'records', 'comms', 'tgids'] as const

/**
 * Opens, sets up and loads one instance of the object an event. Each object
 * made goes to keep at once, so that a failure in the middle leaves nothing.
 */
export function loadObjects(
  addon: Addon,
  folder: string,
  plan: TracePlan,
  own: Readonly<Record<string, Global>>,
  keep: (object: ObjectHandle) => void,
): void {
  const bytes = objectBytes(join(folder, plan.object))
  let first: ObjectHandle | undefined
  for (const [index, event] of plan.events.entries()) {
    const object = open(addon, bytes, plan.object)
    keep(object)
    selectProgram(addon, object, event)
    const globals = { ...plan.globals, ...own, ...event.globals, event_index: { type: 'u32', value: index } } as const
    setGlobals(addon, object, plan.object, globals)
    if (first !== undefined) for (const map of shared) accept(addon, addon.shareMap(object, map, first), 'share', map)
    accept(addon, addon.load(object), 'load', `${plan.object} (${event.program})`)
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

function open(addon: Addon, bytes: Uint8Array, name: string): ObjectHandle {
  const object = addon.openObject(bytes, name, undefined)
  if (typeof object !== 'number') return object
  throw failure(
    'open',
    name,
    `not a whole BPF object (${lastLine(addon.takeLog()) ?? errnoText(object)})`,
    'copy the folder again',
  )
}

function selectProgram(addon: Addon, object: ObjectHandle, event: EventPlan): void {
  for (const { name } of addon.programs(object)) {
    accept(addon, addon.setAutoload(object, name, name === event.program), 'select', name)
  }
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

function accept(addon: Addon, answer: number, operation: string, object: string): void {
  if (answer >= 0) return
  const log = addon.takeLog()
  if (answer === EPERM) {
    const { cause, remedy } = explainRefusal('load')
    throw failure(operation, object, cause, remedy)
  }
  const said = lastLine(log)
  throw failure(
    operation,
    object,
    said === undefined ? errnoText(answer) : `${errnoText(answer)} (${said})`,
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
