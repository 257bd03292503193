import type { Report } from '../types.ts'

/** An output format: one file here, one line in index.ts. */
export interface Format {
  readonly summary: string
  /** Whether the totals are part of what render yields; else they go to standard error. */
  readonly tellsTotals: boolean
  /** Pieces of the output, each ending where it may be cut. */
  render(report: Report, colours: boolean): Iterable<string>
}
