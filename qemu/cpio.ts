import { writeSync } from 'node:fs'

/** One entry of an initramfs; everything belongs to root. */
export type Entry = { readonly path: string; readonly mode: number } & (
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'character device'; readonly major: number; readonly minor: number }
)

const types = { folder: 0o040000, file: 0o100000, link: 0o120000, 'character device': 0o020000 }

/**
 * Writes an archive in the form "newc", which Linux unpacks as its first root;
 * several after each other are unpacked in turn. Its times and owners are 0, so the
 * same entries always give the same bytes.
 */
export function writeArchive(file: number, entries: readonly Entry[]): void {
  let inode = 0
  for (const entry of entries) write(file, entry, ++inode)
  write(file, { path: 'TRAILER!!!', mode: 0, kind: 'file', bytes: Buffer.alloc(0) }, 0)
}

function write(file: number, entry: Entry, inode: number): void {
  const name = Buffer.from(`${entry.path}\0`)
  const body = bodyOf(entry)
  const device = entry.kind === 'character device' ? [entry.major, entry.minor] : [0, 0]
  const mode = inode === 0 ? 0 : types[entry.kind] | entry.mode
  const numbers = [inode, mode, 0, 0, entry.kind === 'folder' ? 2 : 1, 0, body.length, 0, 0, ...device, name.length, 0]
  const header = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`
  put(file, padded(Buffer.concat([Buffer.from(header), name])))
  put(file, body)
  put(file, Buffer.alloc(-body.length & 3))
}

function bodyOf(entry: Entry): Uint8Array {
  if (entry.kind === 'file') return entry.bytes
  return Buffer.from(entry.kind === 'link' ? entry.target : '')
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}

function put(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}
