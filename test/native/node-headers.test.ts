import { afterEach, expect, test } from 'vitest'
import { nodeDir } from '../../scripts/cross/node-headers.ts'
import { StepError } from '../../scripts/setup/step.ts'

const own = process.execPath
afterEach(() => {
  process.execPath = own
})

test('a Node that came without headers is told what to do', () => {
  process.execPath = '/opt/bare/bin/node'
  expect(nodeDir).toThrow(StepError)
  expect(nodeDir).toThrow('/opt/bare/include/node/node_api.h: not found.')
  expect(nodeDir).toThrow('libnode-dev')
})
