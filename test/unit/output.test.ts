import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fileOutput, streamOutput } from '../../runner/output.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpstack-output-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const failed = (message: string) => expect.objectContaining({ code: 'failure', message })

/** More than a pipe or a stream's buffer holds. */
const pieces = Array.from({ length: 5000 }, (_, index) => `${index} ${'x'.repeat(50)}\n`)
const whole = pieces.join('')

test('a file appears when it is whole, and not before', async () => {
  const path = join(folder, 'result')
  const output = await fileOutput(path)
  expect(existsSync(path)).toBe(false)
  await output.write(pieces)
  expect(readFileSync(path, 'utf8')).toBe(whole)
  await output.discard()
  expect(readdirSync(folder)).toEqual(['result'])
})

test('an older file stays as it was until then', async () => {
  const path = join(folder, 'result')
  writeFileSync(path, 'older')
  const output = await fileOutput(path)
  expect(readFileSync(path, 'utf8')).toBe('older')
  await output.write(['newer'])
  expect(readFileSync(path, 'utf8')).toBe('newer')
})

test('without a result nothing is left behind', async () => {
  const path = join(folder, 'result')
  const output = await fileOutput(path)
  await output.discard()
  await output.discard()
  expect(readdirSync(folder)).toEqual([])
})

test('a result that cannot be made leaves nothing behind either', async () => {
  const output = await fileOutput(join(folder, 'result'))
  function* failing(): Generator<string> {
    yield 'half of it'
    throw new Error('no more')
  }
  await expect(output.write(failing())).rejects.toThrow(failed(`write ${join(folder, 'result')}: no more`))
  expect(readdirSync(folder)).toEqual([])
})

test('a link laid where the file is being made is not followed', async () => {
  const [path, victim] = [join(folder, 'result'), join(folder, 'victim')]
  writeFileSync(victim, 'precious')
  symlinkSync(victim, `${path}.fpstack-part`)
  const output = await fileOutput(path)
  await output.write(['result'])
  expect(readFileSync(victim, 'utf8')).toBe('precious')
  expect(readFileSync(path, 'utf8')).toBe('result')
  expect(lstatSync(path).isFile()).toBe(true)
})

test('a full disk is told, with what to do', async () => {
  const output = await fileOutput('/dev/full')
  await expect(output.write(pieces)).rejects.toThrow(
    failed('write /dev/full: ENOSPC: no space left on device; make room, or write to another place with -o'),
  )
  expect(statSync('/dev/full').isCharacterDevice()).toBe(true)
  expect(existsSync('/dev/full.fpstack-part')).toBe(false)
})

test('a device is written to, not replaced', async () => {
  const output = await fileOutput('/dev/null')
  await output.write(pieces)
  await output.discard()
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  expect(existsSync('/dev/null.fpstack-part')).toBe(false)
})

test('a folder that is not there is told before anything is recorded', async () => {
  const path = join(folder, 'nowhere/result')
  await expect(fileOutput(path)).rejects.toThrow(failed(`write ${path}: ENOENT: no such file or directory`))
})

test('a folder is no file', async () => {
  const path = join(folder, 'sub')
  mkdirSync(path)
  await expect(fileOutput(path)).rejects.toThrow(failed(`write ${path}: EISDIR: illegal operation on a directory`))
  expect(lstatSync(path).isDirectory()).toBe(true)
})

test('a folder in the place where the file would be made is told', async () => {
  const path = join(folder, 'result')
  mkdirSync(`${path}.fpstack-part`)
  await expect(fileOutput(path)).rejects.toThrow(expect.objectContaining({ name: 'FpstackError', code: 'failure' }))
  expect(lstatSync(`${path}.fpstack-part`).isDirectory()).toBe(true)
})

test('a stream gets all of it and stays open', async () => {
  const stream = new PassThrough()
  const read = text(stream)
  const output = streamOutput(stream, 'standard output')
  await output.write(pieces)
  await output.write(['and more'])
  await output.discard()
  stream.end()
  expect(await read).toBe(`${whole}and more`)
})

test('nothing to write is written too', async () => {
  const stream = new PassThrough()
  await streamOutput(stream, 'standard output').write([])
  stream.end()
  expect(await text(stream)).toBe('')
})

test('it is written when write says so, not only taken', async () => {
  const taken: string[] = []
  const slow = new Writable({
    write(chunk: Buffer, _, done) {
      setTimeout(() => {
        taken.push(chunk.toString())
        done()
      }, 5)
    },
  })
  await streamOutput(slow, 'standard output').write(['a', 'b', 'c'])
  expect(taken.join('')).toBe('abc')
})

test('a reader that has gone is told', async () => {
  const reader = spawn('sh', ['-c', 'exec 0<&-; echo closed; exec sleep 60'], { stdio: ['pipe', 'pipe', 'ignore'] })
  await once(reader.stdout, 'data')
  // main.ts keeps an ear on standard output as well: the event comes beside the error of the write.
  reader.stdin.on('error', () => {})
  await expect(streamOutput(reader.stdin, 'standard output').write(pieces)).rejects.toThrow(
    failed('write standard output: EPIPE: broken pipe; whatever read it has ended'),
  )
  reader.kill()
})

test('a reader that goes in the middle is told too', async () => {
  const command = 'head -c 100 > /dev/null; exec 0<&-; exec sleep 60'
  const reader = spawn('sh', ['-c', command], { stdio: ['pipe', 'ignore', 'ignore'] })
  reader.stdin.on('error', () => {})
  const endless = (function* () {
    for (;;) yield whole
  })()
  await expect(streamOutput(reader.stdin, 'standard output').write(endless)).rejects.toThrow(
    failed('write standard output: EPIPE: broken pipe; whatever read it has ended'),
  )
  reader.kill()
})
