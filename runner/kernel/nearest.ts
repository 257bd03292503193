import { distance } from 'fastest-levenshtein'

/**
 * The live names nearest to one that does not exist, best first.
 *
 * What people type is mostly a part of the real name, because kernels rename by
 * adding: do_sys_open → do_sys_openat2, sys_openat → __arm64_sys_openat. So a name
 * that holds the typed one comes before one that merely looks like it.
 */
export function nearestNames(typed: string, names: Iterable<string>, most = 3): string[] {
  const wanted = typed.toLowerCase()
  const ranked: { name: string; rank: number }[] = []
  for (const name of new Set(names)) {
    const rank = rankOf(wanted, name.toLowerCase())
    if (rank !== undefined) ranked.push({ name, rank })
  }
  ranked.sort((a, b) => a.rank - b.rank || a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
  return ranked.slice(0, most).map((entry) => entry.name)
}

/** Lower is nearer; undefined is not near at all. */
function rankOf(wanted: string, name: string): number | undefined {
  const extra = name.length - wanted.length
  if (name.endsWith(wanted)) return extra
  if (name.startsWith(wanted)) return extra
  if (wanted.length >= 4 && name.includes(wanted)) return 20 + extra
  if (Math.abs(extra) > 3) return undefined
  const edits = distance(wanted, name)
  return edits <= Math.max(1, Math.floor(wanted.length / 4)) ? 10 + 10 * edits : undefined
}
