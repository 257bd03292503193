import type { ByteSource } from './byte-source.ts'
import type { Elf } from './elf.ts'

/** e_machine (elf.h). */
const EM_X86_64 = 62
const EM_AARCH64 = 183

/** Lengths of an indirect call (FF /2) with its prefix, by its ModRM and SIB: from the end of the call back to FF. */
const indirectLengths = [2, 3, 4, 6, 7]
const longestCall = 7

/**
 * Whether the instruction before a byte of the file is a call: all that a
 * return address can point behind. undefined where it cannot be told.
 */
export function followsCall(source: ByteSource, elf: Elf, fileOffset: number): boolean | undefined {
  try {
    if (elf.machine === EM_AARCH64) return isAarch64Call(source.read(fileOffset - 4, 4).readUInt32LE(0))
    if (elf.machine === EM_X86_64) return endsInX86Call(source.read(fileOffset - longestCall, longestCall))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return undefined
}

/** rt_sigreturn by its number, all that the C library's or the vdso's trampoline does. */
const signalReturns = new Map([
  // mov x8, #139; svc #0
  [EM_AARCH64, Buffer.from('681180d2010000d4', 'hex')],
  // mov $15, %rax; syscall
  [EM_X86_64, Buffer.from('48c7c00f0000000f05', 'hex')],
])

/** Whether a signal handler returns there: to the first instruction of a trampoline that nobody calls. */
export function isSignalReturn(source: ByteSource, elf: Elf, fileOffset: number): boolean {
  const code = signalReturns.get(elf.machine)
  if (code === undefined || fileOffset < 0 || fileOffset + code.length > source.size) return false
  return source.read(fileOffset, code.length).equals(code)
}

/** BL; BLR and its authenticating forms (Arm ARM, C4.1: unconditional branch). */
function isAarch64Call(word: number): boolean {
  const bl = (word & 0xfc000000) >>> 0 === 0x94000000
  const blr = (word & 0xfffffc1f) >>> 0 === 0xd63f0000
  const blrAuthenticated = (word & 0xfefff800) >>> 0 === 0xd63f0800
  return bl || blr || blrAuthenticated
}

/** CALL rel32 (E8) or CALL r/m64 (FF /2); what comes before is not looked at, so this may say yes by chance, never no. */
function endsInX86Call(bytes: Buffer): boolean {
  const back = (distance: number): number => bytes[longestCall - distance] ?? 0
  if (back(5) === 0xe8) return true
  return indirectLengths.some((length) => back(length) === 0xff && (back(length - 1) & 0x38) === 0x10)
}
