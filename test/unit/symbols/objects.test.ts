import { copyFileSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { ObjectStore } from '../../../runner/symbols/objects.ts'
import { readMappings } from '../../../runner/symbols/proc-maps.ts'
import type { Mapping } from '../../../runner/types.ts'
import { fileOffsetOf, mappingOf, programFolder, startProgram } from './running-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpstack-objects-'))
afterAll(() => rmSync(folder, { recursive: true }))

let store: ObjectStore
beforeEach(() => {
  store = new ObjectStore()
})
afterEach(() => store.close())

const program = join(programFolder, 'static_demo')
const handler = fileOffsetOf(program, 'demo_handle_request')

/** A mapping of a file, as wide as no process has one: map_files has no entry for it. */
function onlyByPath(path: string, said: Partial<Mapping> = {}): Mapping {
  const inode = statSync(path, { bigint: true }).ino
  return { start: 0x1000n, end: 0x2000n, offset: 0n, device: 'fe:01', inode, path, ...said }
}

function copied(name: string): string {
  const path = join(folder, name)
  copyFileSync(program, path)
  return path
}

test('a running program is named by what it maps', async () => {
  const child = await startProgram(program)
  onTestFinished(() => void child.kill('SIGKILL'))
  const object = store.take(child.pid, mappingOf(child.pid, '/static_demo'))
  expect(object.trouble).toBeUndefined()
  expect(object.find(handler + 4)).toEqual({ name: 'demo_handle_request', offset: 4 })
  expect(object.followsCall(handler)).toBe(false)
  expect(store.troubles()).toEqual(new Map())
})

test('the file is found by its path where map_files shows nothing', () => {
  const object = store.take(process.pid, onlyByPath(copied('by-path')))
  expect(object.find(handler)?.name).toBe('demo_handle_request')
})

test('the path is looked up in our own root where the process has ended', () => {
  const object = store.take(4194305, onlyByPath(copied('ended')))
  expect(object.find(handler)?.name).toBe('demo_handle_request')
})

test('a file that was replaced since names nothing, and that is told', () => {
  const path = copied('replaced')
  const mapping = onlyByPath(path)
  writeFileSync(`${path}.new`, 'another program')
  renameSync(`${path}.new`, path)
  const object = store.take(process.pid, mapping)
  expect(object.trouble).toBe('the file was replaced since it was mapped')
  expect(object.find(handler)).toBeUndefined()
  expect(object.followsCall(handler)).toBeUndefined()
  expect(store.troubles()).toEqual(new Map([[path, 'the file was replaced since it was mapped']]))
})

test('a file that vanished is told, and not what else would be tried', () => {
  const path = copied('vanished')
  const mapping = onlyByPath(path)
  rmSync(path)
  expect(store.take(process.pid, mapping).trouble).toBe('ENOENT: no such file or directory')
})

test('a file whose name goes once it is found is read all the same', () => {
  const path = copied('going')
  const object = store.take(process.pid, onlyByPath(path))
  rmSync(path)
  expect(object.find(handler)?.name).toBe('demo_handle_request')
})

test('an object is opened once, however many processes map it', () => {
  const path = copied('shared')
  expect(store.take(process.pid, onlyByPath(path))).toBe(store.take(4194305, onlyByPath(path, { start: 0x5000n })))
})

test('an equal inode of another device is another object', () => {
  const path = copied('device')
  const object = store.take(process.pid, onlyByPath(path))
  expect(store.take(process.pid, onlyByPath(path, { device: 'fe:02' }))).not.toBe(object)
})

test('what one process could not show another may', () => {
  const path = copied('later')
  const mapping = onlyByPath(path)
  renameSync(path, `${path}.away`)
  expect(store.take(process.pid, mapping).trouble).toBe('ENOENT: no such file or directory')
  renameSync(`${path}.away`, path)
  expect(store.take(process.pid, mapping).find(handler)?.name).toBe('demo_handle_request')
})

test('a file that is no ELF names nothing, and says so when it is asked', () => {
  const path = join(folder, 'text')
  writeFileSync(path, 'a long enough text that is no program at all')
  const object = store.take(process.pid, onlyByPath(path))
  expect(object.trouble).toBeUndefined()
  expect(object.find(0)).toBeUndefined()
  expect(object.trouble).toBe('not an ELF file')
  expect(object.followsCall(0)).toBeUndefined()
  expect(store.troubles()).toEqual(new Map([[path, 'not an ELF file']]))
})

test('a path may hold spaces', () => {
  const path = join(folder, 'two words')
  writeFileSync(path, '')
  store.take(process.pid, onlyByPath(path)).find(0)
  expect([...store.troubles().keys()]).toEqual([path])
})

test('what is outside every segment has no name', () => {
  const object = store.take(process.pid, onlyByPath(copied('outside')))
  expect(object.find(2 ** 40)).toBeUndefined()
  expect(object.find(-1)).toBeUndefined()
  expect(object.trouble).toBeUndefined()
})

test.each(['', '[heap]', '[stack]', 'anon_inode:[perf_event]'])('%j is not a file', (path) => {
  const mapping = { start: 0n, end: 4096n, offset: 0n, device: '00:00', inode: 0n, path }
  expect(store.take(process.pid, mapping).trouble).toBe('not a file')
  // Anonymous memory is no object whose trouble a person could mend.
  expect([...store.troubles().keys()]).toEqual(path === '' ? [] : [path])
})

test('the vdso is read from memory', () => {
  const own = readMappings('self')?.find(({ path }) => path === '[vdso]')
  if (own === undefined) throw new Error('this kernel gives us no vdso')
  expect(store.take(process.pid, own).trouble).toBeUndefined()
  store.close()
  expect(store.take(process.pid, { ...own, end: own.end + 4096n }).trouble).toBe('the vdso of another word size')
})

test('no more files are held open than is decent', () => {
  const path = copied('many')
  for (let index = 0; index < 256; index++)
    expect(store.take(process.pid, onlyByPath(path, { device: `${index}:0` })).trouble).toBeUndefined()
  const message = 'more than 256 objects are mapped by the traced processes'
  expect(store.take(process.pid, onlyByPath(path, { device: '256:0' })).trouble).toBe(message)
  expect(store.troubles()).toEqual(new Map([[path, message]]))
  // One that is held already is still had.
  expect(store.take(process.pid, onlyByPath(path, { device: '255:0' })).trouble).toBeUndefined()
  store.close()
  expect(store.take(process.pid, onlyByPath(path, { device: '256:0' })).trouble).toBeUndefined()
  expect(basename(path)).toBe('many')
})
