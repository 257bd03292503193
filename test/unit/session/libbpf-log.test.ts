import { expect, test } from 'vitest'
import { LibbpfLog } from '../../../runner/session/libbpf-log.ts'
import { FakeAddon } from './fake-addon.ts'

test('the latest is told once, and all of it at any time', () => {
  const addon = new FakeAddon()
  const log = new LibbpfLog(addon)
  expect(log.latest()).toBe('')
  addon.log = 'first\n'
  expect(log.latest()).toBe('first\n')
  expect(log.latest()).toBe('')
  addon.log = 'second\n'
  expect(log.all()).toBe('first\nsecond\n')
  expect(log.latest()).toBe('')
  expect(log.all()).toBe('first\nsecond\n')
})
