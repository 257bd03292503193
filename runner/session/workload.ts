import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { errorName, errorText, failure } from '../errors.ts'

/** How long a COMMAND has to end after SIGTERM before it is left alone, in ms. */
const patience = 2000

/** COMMAND of the command line, running. */
export interface Workload {
  /** Settles when it has ended by itself; rejects when it could not be started. */
  readonly ended: Promise<void>
  /** Asks it to end and waits a little; rejects, as ended does, when it could not be started. */
  terminate(): Promise<void>
}

/** Starts COMMAND with our standard streams. */
export function startWorkload(command: readonly string[]): Workload {
  const [program = '', ...args] = command
  const child = spawnOrTell(program, args)
  const ended = watch(child, program)
  return { ended, terminate: () => terminate(child, ended) }
}

/** Most failures come as an event, some at once (an empty name, a path through a file). */
function spawnOrTell(program: string, args: readonly string[]): ChildProcess {
  try {
    return spawn(program, args, { stdio: 'inherit' })
  } catch (error) {
    throw failure(
      'start',
      program === '' ? 'COMMAND' : program,
      program === '' ? 'its name is empty' : errorText(error),
    )
  }
}

function watch(child: ChildProcess, program: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => resolve())
    child.on('error', (error) => {
      // Later ones are of kill: a set-uid COMMAND is not ours to end.
      if (child.pid !== undefined) return
      const cause = errorName(error) === 'ENOENT' ? 'no such command' : errorText(error)
      reject(failure('start', program, cause))
    })
  })
}

async function terminate(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM')
  await Promise.race([ended, setTimeout(patience, undefined, { ref: false })])
  child.unref()
}
