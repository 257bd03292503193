import type { Command } from 'commander'
import type { Host } from '../types.ts'

/** A command's module: what it takes, and what it does. */
export interface CommandModule {
  configure(command: Command): void
  /**
   * Runs to its end; throws an FpstackError for what a person has to know.
   * operands: what was typed beside options; rest: what stood behind "--".
   */
  run(
    host: Host,
    operands: readonly string[],
    options: Readonly<Record<string, unknown>>,
    rest: readonly string[],
  ): Promise<void>
}
