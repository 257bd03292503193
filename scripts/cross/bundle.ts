import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { StepError, step } from '../setup/step.ts'

export const bundlePath = 'build/fpstack.cjs'
/** What esbuild says went into it; NOTICE is made from this. */
export const metafilePath = 'build/fpstack.meta.json'

/** runner/ and the packages it imports as one file for any Node since 18; the same for both architectures. */
export async function buildBundle(): Promise<void> {
  const inputs = ['runner', 'package.json', 'package-lock.json']
  await step({ name: 'fpstack.cjs', inputs, key: '1', outputs: [bundlePath, metafilePath] }, async () => {
    const { build } = await import('esbuild')
    const result = await build({
      entryPoints: ['runner/main.ts'],
      bundle: true,
      platform: 'node',
      target: 'node18',
      format: 'cjs',
      minifyWhitespace: true,
      minifySyntax: true,
      banner: { js: '#!/usr/bin/env node' },
      define: { FPSTACK_VERSION: JSON.stringify(version()) },
      legalComments: 'none',
      logLevel: 'silent',
      metafile: true,
      write: false,
    }).catch((error: Error) => {
      throw new StepError(error.message)
    })
    const part = `${bundlePath}.part`
    writeFileSync(part, result.outputFiles[0]?.contents ?? '')
    chmodSync(part, 0o755)
    renameSync(part, bundlePath)
    writeFileSync(metafilePath, JSON.stringify(result.metafile))
  })
}

export function version(): string {
  return (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version
}
