import { expect, test } from 'vitest'
import { readElf } from '../../../runner/symbols/elf.ts'
import { readSymbols } from '../../../runner/symbols/elf-symbols.ts'
import { readMappings } from '../../../runner/symbols/proc-maps.ts'
import { readVdso } from '../../../runner/symbols/vdso.ts'

const own = readMappings('self')?.find(({ path }) => path === '[vdso]')
if (own === undefined) throw new Error('this kernel gives us no vdso')

test('the vdso is our own, and has names', () => {
  const source = readVdso(own)
  if (source === undefined) throw new Error('no vdso was read')
  expect(source.size).toBe(Number(own.end - own.start))
  const symbols = readSymbols(source, readElf(source))
  const names = Array.from({ length: source.size / 4 }, (_, index) => symbols.find(4 * index)?.name)
  expect(names.some((name) => name?.includes('clock_gettime'))).toBe(true)
})

test('that of another word size is as large as nothing of ours', () => {
  expect(readVdso({ ...own, end: own.end + 4096n })).toBeUndefined()
  expect(readVdso({ ...own, start: own.end })).toBeUndefined()
})
