import type { CommandModule } from './command.ts'

export interface CommandRow {
  readonly usage: string
  readonly summary: string
  /** Loads the command's own modules, and no other's. */
  load(): Promise<CommandModule>
}

/** Every command by its name. */
export const commands = {
  trace: {
    usage: 'EVENT... [options] [-- COMMAND ARG...]',
    summary: 'count the stacks of events',
    load: async () => (await import('./trace.ts')).trace,
  },
} satisfies Record<string, CommandRow>
