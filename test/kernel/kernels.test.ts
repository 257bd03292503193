import { describe, expect, test } from 'vitest'
import { boardNodes } from '../../qemu/board-nodes.ts'
import { bootGuest, type GuestOptions } from '../../qemu/guest.ts'
import { fetchKernel } from '../../qemu/kernels/fetch-kernel.ts'
import { kernelNames, kernels } from '../../qemu/kernels/index.ts'
import { arches, archOf } from '../../scripts/cross/arch.ts'

const boards = arches.flatMap((arch) =>
  kernelNames
    .filter((name) => (kernels[name].arches as readonly string[]).includes(arch.debian))
    .map((name): GuestOptions => ({ arch: arch.name, kernel: name })),
)

test('there are nine', () => {
  expect(boards.length).toBe(9)
})

describe('every kernel boots', { timeout: 5 * 60_000 }, () => {
  test.each(boards)('$arch $kernel', async (options) => {
    const { release } = await fetchKernel(options.kernel, archOf(options.arch))
    await using guest = await bootGuest(options)
    expect(guest.release).toBe(release)
    expect((await guest.run(['uname', '-r'])).stdout).toBe(`${release}\n`)
    expect((await guest.run(['node', '-e', 'console.log(process.version, process.arch)'])).stdout).toBe(
      `v${boardNodes[22].version} ${options.arch}\n`,
    )
    const btf = await guest.run(['head', '-c', '4', '/sys/kernel/btf/vmlinux'])
    expect(btf.bytes.toString('hex')).toBe('9feb0100')
  })
})
