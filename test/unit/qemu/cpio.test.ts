import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Entry, writeArchive } from '../../../qemu/cpio.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpstack-cpio-'))
const archive = join(folder, 'a.cpio')
const entries: readonly Entry[] = [
  { kind: 'folder', path: 'tmp', mode: 0o1777 },
  { kind: 'file', path: 'tmp/odd', mode: 0o755, bytes: Buffer.from('seven b') },
  { kind: 'file', path: 'empty', mode: 0o600, bytes: Buffer.alloc(0) },
  { kind: 'link', path: 'bin', mode: 0o777, target: 'usr/bin' },
  { kind: 'character device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
]

function write(path: string): void {
  const file = openSync(path, 'w')
  writeArchive(file, entries)
  closeSync(file)
}

beforeAll(() => write(archive))
afterAll(() => rmSync(folder, { recursive: true }))

test('Debian cpio reads what was written', () => {
  const listed = execFileSync('cpio', ['-itvn', '--quiet', '-F', archive], { encoding: 'utf8', env: { TZ: 'UTC' } })
  const rows = listed.split('\n').map((row) => row.replaceAll(/ +/g, ' ').trim())
  expect(rows.filter(Boolean)).toEqual([
    'drwxrwxrwt 2 0 0 0 Jan 1 1970 tmp',
    '-rwxr-xr-x 1 0 0 7 Jan 1 1970 tmp/odd',
    '-rw------- 1 0 0 0 Jan 1 1970 empty',
    'lrwxrwxrwx 1 0 0 7 Jan 1 1970 bin -> usr/bin',
    'crw------- 1 0 0 5, 1 Jan 1 1970 dev/console',
  ])
})

test('a file comes out as it went in', () => {
  execFileSync('cpio', ['-id', '--quiet', '-F', archive, 'tmp/odd'], { cwd: folder })
  expect(readFileSync(join(folder, 'tmp/odd'), 'utf8')).toBe('seven b')
})

test('the same entries give the same bytes, ending where another archive may follow', () => {
  write(join(folder, 'b.cpio'))
  const bytes = readFileSync(archive)
  expect(readFileSync(join(folder, 'b.cpio')).equals(bytes)).toBe(true)
  expect(bytes.length % 4).toBe(0)
})
