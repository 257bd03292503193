import { expect, test } from 'vitest'
import { type CommandRow, commands } from '../../../runner/commands/index.ts'

test.each(Object.entries<CommandRow>(commands))('%s loads its own module, and is told in a line', async (_, row) => {
  const module = await row.load()
  expect(module.configure).toBeTypeOf('function')
  expect(module.run).toBeTypeOf('function')
  expect(row.summary).toMatch(/^[^\n]+$/)
  expect(row.usage).toMatch(/^[^\n]+$/)
})
