import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootGuest, type Guest, type GuestOptions } from '../../qemu/guest.ts'
import { archOf } from '../../scripts/cross/arch.ts'
import { boardFolder } from '../native/board-folder.ts'

const boards: GuestOptions[] = [
  { arch: 'arm64', kernel: '5.10', node: '18' },
  { arch: 'arm64', kernel: 'latest', node: '24' },
  { arch: 'x64', kernel: '6.12', node: '20' },
]
const scenarios = [
  'counts',
  'globals',
  'batches',
  'waiting',
  'orders',
  'ends',
  'attaches',
  'shares',
  'sideband',
  'refused',
]

describe.each(boards)('the addon on $arch $kernel', (options) => {
  let guest: Guest
  beforeAll(async () => {
    const folder = await boardFolder(archOf(options.arch))
    guest = await bootGuest({ ...options, add: [folder] })
  })
  afterAll(() => guest?.close())

  async function holds(scenario: string, flags: readonly string[] = [], uid?: number): Promise<void> {
    const command = ['node', ...flags, '/add/native/on_board.cjs', scenario]
    const { code, stdout, stderr } = await guest.run(command, uid === undefined ? {} : { uid })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'held\n', stderr: '' })
  }

  test.each(scenarios)('%s', (scenario) => holds(scenario))
  test('collected', () => holds('collected', ['--expose-gc']))
  test('unprivileged', () => holds('unprivileged', [], 1000))
})
