import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { StepError, step } from '../setup/step.ts'
import { metafilePath, version } from './bundle.ts'
import { keyOf, sourceDir } from './unpack.ts'
import { suite, type Upstream, upstreams } from './upstream.ts'

export const noticePath = 'build/NOTICE'

/** Writes whose work dist holds, under which licence, and where its source is. */
export async function writeNotice(): Promise<void> {
  const inputs = [metafilePath, 'LICENSE', 'package.json', 'scripts/cross/notice.ts', 'scripts/cross/upstream.ts']
  await step({ name: 'NOTICE', inputs, key: upstreams.map(keyOf).join(' '), outputs: [noticePath] }, async () => {
    const metafile = JSON.parse(readFileSync(metafilePath, 'utf8')) as Metafile
    const parts = [ours(), ...upstreams.map(linked), ...bundledPackages(metafile).map(bundled)]
    writeFileSync(noticePath, `${parts.join(`\n${'='.repeat(78)}\n\n`)}`)
  })
}

function ours(): string {
  return `fpstack ${version()}
Licence: MIT, as follows, but for the BPF objects (*.bpf.o).
The BPF objects are GPL-2.0-only OR BSD-2-Clause, at your choice; each says so
to the kernel as "Dual BSD/GPL".
fpstack.node holds libbpf, libelf and zlib, fpstack.cjs the packages named at
the end; theirs follow.

${readFileSync('LICENSE', 'utf8')}`
}

function linked(upstream: Upstream): string {
  const patches = Object.keys(upstream.patches)
  const texts = upstream.licenceFiles.map((name) => readFileSync(join(sourceDir(upstream.name), name), 'utf8'))
  return `${upstream.linked} ${upstream.version}, linked into fpstack.node
Licence: ${upstream.licence}
Source: Debian ${suite}, source package ${upstream.name} ("apt-get source ${upstream.name}/${suite}"),
upstream tarball with sha256 ${upstream.sha256},
${patches.length > 0 ? `with Debian's ${patches.join(', ')} applied` : 'unpatched'}
${upstream.remark === undefined ? '' : `\n${upstream.remark}\n`}
${texts.join('\n')}`
}

interface Bundled {
  readonly folder: string
  readonly name: string
  readonly version: string
  readonly license: string
}

/** The packages that esbuild put into fpstack.cjs. */
export function bundledPackages(metafile: Metafile): Bundled[] {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs))
  const folders = inputs.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0])
  return [...new Set(folders)]
    .filter((folder) => folder !== undefined)
    .sort()
    .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }) as Bundled)
}

function bundled({ folder, name, version, license }: Bundled): string {
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry))
  if (file === undefined) throw new StepError(`${folder}: no licence text, so it may not be bundled`)
  return `${name} ${version}, in fpstack.cjs
Licence: ${license}
Source: npm package ${name}@${version}

${readFileSync(join(folder, file), 'utf8')}`
}
