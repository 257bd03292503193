import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { errorName } from '../errors.ts'

/** Where tracefs may be mounted: its own place since 4.1, or below debugfs. */
const places = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing']

export type TracefsState =
  | { readonly path: string }
  | { readonly path: undefined; readonly why: 'absent' | 'forbidden' }

export function findTracefs(): TracefsState {
  let why: 'absent' | 'forbidden' = 'absent'
  for (const place of places) {
    try {
      readdirSync(join(place, 'events'))
      return { path: place }
    } catch (error) {
      if (errorName(error) === 'EACCES' || errorName(error) === 'EPERM') why = 'forbidden'
    }
  }
  return { path: undefined, why }
}

export function hasTracepoint(tracefs: string, category: string, name: string): boolean {
  return existsSync(join(tracefs, 'events', category, name, 'id'))
}

/** "category:name" of every tracepoint. */
export function* tracepointNames(tracefs: string): Generator<string> {
  const events = join(tracefs, 'events')
  for (const category of readdirSync(events, { withFileTypes: true })) {
    if (!category.isDirectory()) continue
    for (const name of readdirSync(join(events, category.name), { withFileTypes: true })) {
      if (name.isDirectory()) yield `${category.name}:${name.name}`
    }
  }
}
