const keptLines = 60
const longestLine = 400

/** The console's last lines, for a failure report. */
export class ConsoleTail {
  #lines: string[] = []
  #rest = ''

  push(chunk: Buffer): void {
    const lines = `${this.#rest}${chunk.toString('latin1')}`.split(/\r*\n/)
    this.#rest = (lines.pop() ?? '').slice(-longestLine)
    this.#lines = [...this.#lines, ...lines.map((line) => line.slice(0, longestLine))].slice(-keptLines)
  }

  toString(): string {
    const lines = [...this.#lines, this.#rest].filter((line) => line.trim() !== '')
    if (lines.length === 0) return 'the console stayed empty'
    return `the console's last lines:\n${lines.map((line) => `  | ${line}`).join('\n')}`
  }
}
