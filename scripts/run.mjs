#!/usr/bin/env node
/**
 * The one door of every npm script: makes sure this machine has what the
 * TypeScript behind it needs, then runs it. Plain JavaScript, because on a
 * fresh clone nothing else can run yet.
 *
 * usage: node scripts/run.mjs TARGET.ts [ARGUMENT...]
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { requireHostPackages } from './setup/host-packages.mjs'
import { requireNodeModules } from './setup/node-modules.mjs'
import { SetupError } from './setup/setup-error.mjs'

const target = process.argv[2]

try {
  requireHostPackages()
  requireNodeModules()
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`set-up: ${error.message}\n`)
  process.exit(1)
}

const { register } = await import('tsx/esm/api')
register()
process.argv.splice(1, 2, resolve(target))
try {
  await import(pathToFileURL(resolve(target)).href)
} catch (error) {
  // A failed step has already been told in words; only our own bugs show a stack.
  process.stderr.write(`${error.name === 'StepError' ? error.message : error.stack}\n`)
  process.exitCode = 1
}
