import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StepError } from '../setup/step.ts'

/** The prefix of the Node that runs, which has to bring its headers: node-gyp would fetch them from the network. */
export function nodeDir(): string {
  const prefix = dirname(dirname(process.execPath))
  const missing = ['node_api.h', 'common.gypi'].find((name) => !existsSync(join(prefix, 'include/node', name)))
  if (missing === undefined) return prefix
  throw new StepError(
    `${prefix}/include/node/${missing}: not found. The addon is built against the headers of the Node that runs ` +
      `(${process.execPath}, ${process.version}), and this one came without them.\n` +
      'Run the build with a Node unpacked from its official archive, which holds include/node, ' +
      "or install your distribution's package of its headers (libnode-dev in Debian).",
  )
}
