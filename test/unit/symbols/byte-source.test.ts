import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type ByteSource, bytesOf, openRegular } from '../../../runner/symbols/byte-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpstack-bytes-'))
afterAll(() => rmSync(folder, { recursive: true }))

const content = Buffer.from('0123456789')
const path = join(folder, 'file')
writeFileSync(path, content)

const sources: Record<string, () => ByteSource & { close?(): void }> = {
  memory: () => bytesOf(content),
  'a file': () => openRegular(path),
}

test.each(Object.keys(sources))('%s gives exactly what is asked for', (kind) => {
  const source = sources[kind]?.()
  expect(source?.size).toBe(10)
  expect(source?.read(0, 10).toString()).toBe('0123456789')
  expect(source?.read(3, 4).toString()).toBe('3456')
  expect(source?.read(10, 0).toString()).toBe('')
  source?.close?.()
})

const [huge, negative] = [2 ** 53, -1]

test.each(
  Object.keys(sources).flatMap((kind): [string, number, number][] => [
    [kind, 0, 11],
    [kind, 10, 1],
    [kind, 11, 0],
    [kind, negative, 1],
    [kind, 0, negative],
    [kind, 0.5, 1],
    [kind, 0, 0.5],
    [kind, Number.NaN, 1],
    [kind, 0, Number.NaN],
    [kind, huge - 1, huge - 1],
    [kind, huge, 1],
    [kind, 0, 2 ** 64],
    [kind, Number.POSITIVE_INFINITY, 1],
  ]),
)('%s does not read at %d %d bytes', (kind, offset, length) => {
  const source = sources[kind]?.()
  const message = `${length} bytes at ${offset} of 10`
  expect(() => source?.read(offset, length)).toThrow(expect.objectContaining({ name: 'RangeError', message }))
  source?.close?.()
})

test('a table of 4 GiB is not read into memory, though the file has it', () => {
  const sparse = join(folder, 'sparse')
  writeFileSync(sparse, '')
  truncateSync(sparse, 5 * 2 ** 30)
  const file = openRegular(sparse)
  expect(() => file.read(0, 2 ** 32)).toThrow(new RangeError('a table of 4294967296 bytes'))
  expect(() => file.read(0, 2 ** 26 + 1)).toThrow(new RangeError('a table of 67108865 bytes'))
  expect(file.read(2 ** 32, 4)).toEqual(Buffer.alloc(4))
  file.close()
})

test('a file that shrinks while it is read is an error, not an endless loop', () => {
  const shrinking = join(folder, 'shrinking')
  writeFileSync(shrinking, content)
  const file = openRegular(shrinking)
  truncateSync(shrinking, 4)
  expect(file.size).toBe(10)
  expect(() => file.read(2, 8)).toThrow(new RangeError('the file ended at 4'))
  file.close()
})

test('a file is still read when its name is gone', () => {
  const going = join(folder, 'going')
  writeFileSync(going, content)
  const file = openRegular(going)
  rmSync(going)
  expect(file.read(8, 2).toString()).toBe('89')
  file.close()
})

test('a link leads to its file', () => {
  const link = join(folder, 'link')
  symlinkSync(path, link)
  const [through, direct] = [openRegular(link), openRegular(path)]
  expect(through.inode).toBe(direct.inode)
  through.close()
  direct.close()
})

test('a FIFO that nobody writes to is refused at once', () => {
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  // Were we to hang in open(2) no time limit could end that: in a while somebody opens the other side.
  const rescuer = spawn('sh', ['-c', 'sleep 5; exec 3<> "$0"; sleep 5', fifo])
  const began = performance.now()
  expect(() => openRegular(fifo)).toThrow(new Error('not a regular file'))
  expect(performance.now() - began).toBeLessThan(4000)
  rescuer.kill()
})

test.each(['/', '/dev/null', '/dev/zero'])('%s is refused', (other) => {
  expect(() => openRegular(other)).toThrow(new Error('not a regular file'))
})

test('a file that is not there is what Node says', () => {
  expect(() => openRegular(join(folder, 'nowhere'))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})

test('what is refused is closed again', () => {
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  for (let round = 0; round < 100; round++) expect(() => openRegular('/')).toThrow('not a regular file')
  expect(open()).toBeLessThan(before + 50)
})

test('so is a file that is closed', () => {
  const file = openRegular(path)
  file.close()
  expect(() => file.read(0, 1)).toThrow(expect.objectContaining({ code: 'EBADF' }))
})
