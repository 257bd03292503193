import { $ } from 'zx'
import { StepError } from '../setup/step.ts'

/** Runs a build tool; what it said is shown only when it fails. */
export async function tool(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const run = await $({ quiet: true, nothrow: true, env: { ...process.env, ...env } })`${command}`
  if (run.exitCode === 0) return run.stdout
  const said = `${run.stdout}${run.stderr}`.trim().split('\n')
  const errors = said.filter((line) => /\berror\b|undefined reference|\*\*\*/i.test(line))
  const shown = errors.length > 0 ? errors.slice(0, 20) : said.slice(-20)
  throw new StepError(`${command.join(' ')} failed:\n${shown.join('\n')}`)
}

const versions = new Map<string, Promise<string>>()
/** What a compiler calls itself: another one builds everything anew. */
export function toolVersion(command: string): Promise<string> {
  const known = versions.get(command) ?? tool([command, '--version'])
  versions.set(command, known)
  return known
}
