import { readFileSync } from 'node:fs'
import type { Mapping } from '../types.ts'

/** Executable mappings, lowest first; undefined where the process is gone or may not be read. */
export function readMappings(tgid: number | 'self'): readonly Mapping[] | undefined {
  try {
    return parseMappings(readFileSync(`/proc/${tgid}/maps`, 'latin1'))
  } catch {
    return undefined
  }
}

export function parseMappings(text: string): Mapping[] {
  const mappings: Mapping[] = []
  for (const line of text.split('\n')) {
    const found = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+)(?: +(.*))?$/s.exec(line)
    if (found === null) continue
    const [, start = '', end = '', offset = '', device = '', inode = '', path = ''] = found
    mappings.push({
      start: BigInt(`0x${start}`),
      end: BigInt(`0x${end}`),
      offset: BigInt(`0x${offset}`),
      device,
      inode: BigInt(inode),
      path: unescapePath(path),
    })
  }
  return mappings
}

/** The mapping that holds address, of mappings as the kernel lists them: lowest first. */
export function mappingAt(mappings: readonly Mapping[], address: bigint): Mapping | undefined {
  let low = 0
  let high = mappings.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((mappings[middle]?.start ?? 0n) <= address) low = middle + 1
    else high = middle
  }
  const found = mappings[low - 1]
  return found !== undefined && address < found.end ? found : undefined
}

/** The kernel writes a newline in a path as \012 (seq_path of fs/seq_file.c); the bytes are UTF-8. */
function unescapePath(path: string): string {
  return Buffer.from(path.replaceAll('\\012', '\n'), 'latin1').toString('utf8')
}
