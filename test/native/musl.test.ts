import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { muslFolder } from './musl.ts'

test('musl’s loader binds every symbol of the addon for x64', async () => {
  const folder = await muslFolder('x64')
  const command = [join(folder, 'musl_host'), resolve('dist/linux-x64/fpstack.node'), 'version']
  expect(execFileSync(join(folder, 'libc.so'), command, { encoding: 'utf8' })).toBe('libbpf 1.5\n')
})
