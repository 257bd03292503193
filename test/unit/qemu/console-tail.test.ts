import { expect, test } from 'vitest'
import { ConsoleTail } from '../../../qemu/console-tail.ts'

test('the last lines are kept, wherever chunks are cut', () => {
  const tail = new ConsoleTail()
  for (let line = 0; line < 100; line++) tail.push(Buffer.from(`line ${line}\r`))
  tail.push(Buffer.from('\nKernel pa'))
  tail.push(Buffer.from('nic\r\r\nlast'))
  expect(String(tail)).toMatch(/\n {2}\| Kernel panic\n {2}\| last$/)
})

test('an empty console is told as such', () => {
  expect(String(new ConsoleTail())).toBe('the console stayed empty')
})
