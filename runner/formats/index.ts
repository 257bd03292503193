import { usageError } from '../errors.ts'
import { folded } from './folded.ts'
import type { Format } from './format.ts'
import { json } from './json.ts'
import { text } from './text.ts'

/** Every output format by its name on the command line. */
const formats = { text, folded, json } satisfies Record<string, Format>

export const formatNames: readonly string[] = Object.keys(formats)

export function formatOf(name: string): Format {
  const found = Object.entries(formats).find(([known]) => known === name)?.[1]
  if (found !== undefined) return found
  throw usageError(`--format ${name}`, 'no such format', `the formats are ${formatNames.join(', ')}`)
}
