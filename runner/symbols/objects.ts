import { join } from 'node:path'
import { errorText } from '../errors.ts'
import type { Mapping } from '../types.ts'
import { type ByteSource, type OpenFile, openRegular } from './byte-source.ts'
import { followsCall, isSignalReturn } from './call-site.ts'
import { type Elf, linkedAddress, readElf } from './elf.ts'
import { type ElfSymbol, readSymbols, type SymbolTable } from './elf-symbols.ts'
import { readVdso } from './vdso.ts'

/** A mapped object that was found while its process was there to point at it. */
export interface MappedObject {
  /** The symbol at a byte of the file. */
  find(fileOffset: number): ElfSymbol | undefined
  /** Whether a call ends there, as it does before every return address; undefined where that is not known. */
  followsCall(fileOffset: number): boolean | undefined
  /** Whether a signal handler returns there. */
  isSignalReturn(fileOffset: number): boolean
  /** Why it names nothing, if it does not. */
  readonly trouble: string | undefined
}

/** Files held open at once, so that fpstack stays far below any limit of descriptors. */
const mostOpen = 256

/**
 * The objects of all traced processes, each opened once while a process maps
 * it, its symbols read when first asked for.
 */
export class ObjectStore {
  readonly #objects = new Map<string, MappedObject>()
  readonly #failed = new Map<string, string>()
  readonly #open: OpenFile[] = []

  /** Finds the object behind a mapping of a process that is still there. */
  take(tgid: number, mapping: Mapping): MappedObject {
    const key = `${mapping.device}:${mapping.inode} ${mapping.path}`
    const held = this.#objects.get(key)
    if (held !== undefined) return held
    const made = mapping.path === '[vdso]' ? vdsoObject(mapping) : this.#fileObject(tgid, mapping)
    // A failure is not kept: another process may be able to show the same file.
    if (made.trouble === undefined) this.#objects.set(key, made)
    else if (mapping.path !== '') this.#failed.set(mapping.path, made.trouble)
    return made
  }

  /** Why the frames of an object have no names, by its path. */
  troubles(): Map<string, string> {
    const all = new Map(this.#failed)
    for (const [key, { trouble }] of this.#objects) {
      if (trouble !== undefined) all.set(key.slice(key.indexOf(' ') + 1), trouble)
    }
    return all
  }

  close(): void {
    for (const file of this.#open.splice(0)) file.close()
    this.#objects.clear()
  }

  #fileObject(tgid: number, mapping: Mapping): MappedObject {
    if (mapping.inode === 0n) return nameless('not a file')
    if (this.#open.length >= mostOpen)
      return nameless(`more than ${mostOpen} objects are mapped by the traced processes`)
    try {
      const file = openMapped(tgid, mapping)
      this.#open.push(file)
      return lazyObject(file)
    } catch (error) {
      return nameless(errorText(error))
    }
  }
}

/**
 * map_files shows the very file that is mapped, deleted or replaced as it may be, but needs
 * privilege and a live process. An exec since may have put another program in that range, and a path may by
 * now be another file: the inode has to match. The process's own root comes before ours, which serves when
 * the process has just ended.
 */
function openMapped(tgid: number, mapping: Mapping): OpenFile {
  const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`
  try {
    return openSame(`/proc/${tgid}/map_files/${range}`, mapping.inode)
  } catch {
    try {
      return openSame(join(`/proc/${tgid}/root`, mapping.path), mapping.inode)
    } catch {
      return openSame(mapping.path, mapping.inode)
    }
  }
}

function openSame(path: string, inode: bigint): OpenFile {
  const file = openRegular(path)
  if (file.inode === inode) return file
  file.close()
  throw new Error('the file was replaced since it was mapped')
}

function vdsoObject(mapping: Mapping): MappedObject {
  const source = readVdso(mapping)
  if (source === undefined) return nameless('the vdso of another word size')
  return lazyObject(source)
}

function nameless(trouble: string): MappedObject {
  return { find: () => undefined, followsCall: () => undefined, isSignalReturn: () => false, trouble }
}

function lazyObject(source: ByteSource): MappedObject {
  let elf: Elf | undefined
  let symbols: SymbolTable | undefined
  let trouble: string | undefined
  const orNothing = <T>(read: () => T): T | undefined => {
    if (trouble !== undefined) return undefined
    try {
      return read()
    } catch (error) {
      trouble = errorText(error)
      return undefined
    }
  }
  return {
    get trouble() {
      return trouble
    },
    find: (fileOffset) =>
      orNothing(() => {
        elf ??= readElf(source)
        symbols ??= readSymbols(source, elf)
        const address = linkedAddress(elf, fileOffset)
        return address === undefined ? undefined : symbols.find(address)
      }),
    followsCall: (fileOffset) =>
      orNothing(() => {
        elf ??= readElf(source)
        return followsCall(source, elf, fileOffset)
      }),
    isSignalReturn: (fileOffset) =>
      orNothing(() => {
        elf ??= readElf(source)
        return isSignalReturn(source, elf, fileOffset)
      }) ?? false,
  }
}
