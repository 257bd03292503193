import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { bootGuest } from '../../qemu/guest.ts'
import { archOf } from '../../scripts/cross/arch.ts'
import { boardFolder } from '../native/board-folder.ts'
import { muslFolder } from '../native/musl.ts'

test.each([
  ['arm64', '6.12'],
  ['x64', '6.1'],
] as const)('a program of musl’s traces through the addon on %s %s', async (arch, kernel) => {
  const add = [resolve(await muslFolder(arch)), await boardFolder(archOf(arch))]
  await using guest = await bootGuest({ arch, kernel, add })
  const start = ['/add/musl/libc.so', '/add/musl/musl_host', '/opt/fpstack/fpstack.node']
  expect(await guest.run([...start, 'version'])).toMatchObject({ code: 0, stdout: 'libbpf 1.5\n', stderr: '' })
  const counted = await guest.run([...start, 'count', '/add/native/probe.bpf.o', '137'])
  expect(counted).toMatchObject({ code: 0, stdout: '137 events\n', stderr: '' })
})
