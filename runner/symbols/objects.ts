import { join } from 'node:path'
import { errorText } from '../errors.ts'
import { type OpenFile, openRegular } from './byte-source.ts'
import { type Elf, linkedAddress, readElf } from './elf.ts'
import { type ElfSymbol, readSymbols, type SymbolTable } from './elf-symbols.ts'
import type { Mapping } from './proc-maps.ts'
import { readVdso } from './vdso.ts'

/** A mapped object that was found while its process was there to point at it. */
export interface MappedObject {
  /** The symbol at a byte of the file. */
  find(fileOffset: number): ElfSymbol | undefined
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
  readonly #open: OpenFile[] = []

  /** Finds the object behind a mapping of a process that is still there. */
  take(tgid: number, mapping: Mapping): MappedObject {
    const key = `${mapping.inode} ${mapping.path}`
    const held = this.#objects.get(key)
    if (held !== undefined) return held
    const made = mapping.path === '[vdso]' ? vdsoObject(mapping) : this.#fileObject(tgid, mapping)
    // A failure is not kept: another process may be able to show the same file.
    if (made.trouble === undefined) this.#objects.set(key, made)
    return made
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
      return lazyObject(() => {
        const elf = readElf(file)
        return { elf, symbols: readSymbols(file, elf) }
      })
    } catch (error) {
      return nameless(errorText(error))
    }
  }
}

/**
 * map_files shows the very file that is mapped, deleted or replaced as it may be, but needs
 * privilege; the path below the process's root may by now be another file, so its inode has to match.
 */
function openMapped(tgid: number, mapping: Mapping): OpenFile {
  const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`
  try {
    return openRegular(`/proc/${tgid}/map_files/${range}`)
  } catch {
    const file = openRegular(join(`/proc/${tgid}/root`, mapping.path))
    if (file.inode === mapping.inode) return file
    file.close()
    throw new Error('the file was replaced since it was mapped')
  }
}

function vdsoObject(mapping: Mapping): MappedObject {
  const source = readVdso(mapping)
  if (source === undefined) return nameless('the vdso of another word size')
  return lazyObject(() => {
    const elf = readElf(source)
    return { elf, symbols: readSymbols(source, elf) }
  })
}

function nameless(trouble: string): MappedObject {
  return { find: () => undefined, trouble }
}

function lazyObject(read: () => { elf: Elf; symbols: SymbolTable }): MappedObject {
  let loaded: { elf: Elf; symbols: SymbolTable } | undefined
  let trouble: string | undefined
  return {
    get trouble() {
      return trouble
    },
    find(fileOffset) {
      if (trouble !== undefined) return undefined
      try {
        loaded ??= read()
      } catch (error) {
        trouble = errorText(error)
        return undefined
      }
      const address = linkedAddress(loaded.elf, fileOffset)
      return address === undefined ? undefined : loaded.symbols.find(address)
    },
  }
}
