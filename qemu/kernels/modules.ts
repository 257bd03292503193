import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { StepError } from '../../scripts/setup/step.ts'

/** The files of these modules and of all they depend on, those first that others need. */
export function modulesInOrder(root: string, wanted: readonly string[]): string[] {
  if (wanted.length === 0) return []
  const files = new Map(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ko'))
      .map((path) => [moduleName(path), join(root, path)]),
  )
  const ordered = new Set<string>()
  const add = (name: string): void => {
    const file = files.get(name)
    if (file === undefined) throw new StepError(`${root} has no module ${name}`)
    if (ordered.has(file)) return
    for (const needed of dependencies(readFileSync(file))) add(needed)
    ordered.add(file)
  }
  for (const name of wanted) add(name)
  return [...ordered]
}

/** The kernel counts - and _ as the same in a module's name. */
function moduleName(path: string): string {
  return basename(path, '.ko').replaceAll('-', '_')
}

/** From .modinfo, which is a row of KEY=VALUE ended by a zero byte; the packages hold no modules.dep. */
export function dependencies(module: Buffer): string[] {
  const at = module.indexOf('\0depends=')
  if (at < 0) return []
  const from = at + '\0depends='.length
  return module
    .toString('latin1', from, module.indexOf(0, from))
    .split(',')
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('-', '_'))
}
