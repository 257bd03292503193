import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { readMappings } from '../../../runner/symbols/proc-maps.ts'
import type { Mapping } from '../../../runner/types.ts'

export const programFolder = `build/programs/${process.arch}`

/** A test program of this machine's architecture, running until it is killed. */
export async function startProgram(path: string): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(path, ['0', '1000'], { stdio: 'ignore' })
  if (child.pid === undefined) throw new Error(`${path} did not start`)
  // Before it sleeps, between two rounds of its loop, its mappings are still being made.
  for (let look = 0; look < 500 && !isAsleep(child.pid); look++) await setTimeout(10)
  return Object.assign(child, { pid: child.pid })
}

/** __NR_clock_nanosleep (asm/unistd.h). */
const sleeping = process.arch === 'arm64' ? '115 ' : '230 '

function isAsleep(pid: number): boolean {
  return readFileSync(`/proc/${pid}/syscall`, 'utf8').startsWith(sleeping)
}

/** The mapping of a process's code that a path ends with. */
export function mappingOf(pid: number, name: string): Mapping {
  const found = readMappings(pid)?.find(({ path }) => path.endsWith(name))
  if (found === undefined) throw new Error(`process ${pid} maps no ${name}`)
  return found
}

/** Where a symbol of a program lies in its file. Its .text is mapped from the place it was linked for. */
export function fileOffsetOf(path: string, symbol: string): number {
  const line = execFileSync('llvm-readelf-19', ['-sW', path], { encoding: 'utf8' })
    .split('\n')
    .find((row) => row.split('@')[0]?.endsWith(` ${symbol}`))
  const address = Number.parseInt(line?.trim().split(/\s+/)[1] ?? '', 16)
  return address - loadBias(path)
}

/** Behind the call of callee in caller: what a return address of it is, in the file. */
export function returnInto(path: string, caller: string, callee: string): number {
  const flags = ['--no-show-raw-insn', `--disassemble-symbols=${caller}`]
  const rows = execFileSync('llvm-objdump-19', [...flags, path], { encoding: 'utf8' }).split('\n')
  const call = rows.findIndex((row) => row.includes(`<${callee}`) && /\t(bl|callq?)\t/.test(row))
  return Number.parseInt(rows[call + 1]?.trim() ?? '', 16) - loadBias(path)
}

function loadBias(path: string): number {
  interface Printed {
    readonly ProgramHeaders: readonly {
      readonly ProgramHeader: {
        readonly Offset: number
        readonly VirtualAddress: number
        readonly Flags: { readonly Value: number }
      }
    }[]
  }
  const json = execFileSync('llvm-readelf-19', ['--elf-output-style=JSON', '-l', path], { encoding: 'utf8' })
  const [{ ProgramHeaders }] = JSON.parse(json) as [Printed]
  const PF_X = 1
  const code = ProgramHeaders.find(({ ProgramHeader }) => (ProgramHeader.Flags.Value & PF_X) !== 0)?.ProgramHeader
  return (code?.VirtualAddress ?? 0) - (code?.Offset ?? 0)
}
