import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { StepError } from '../setup/step.ts'

const btfMagic = Buffer.from([0x9f, 0xeb, 0x01, 0x00])
const btfHeaderLength = 24

/** The BTF of a kernel, from its image alone: what /sys/kernel/btf/vmlinux would hold. */
export function btfOfKernelImage(path: string): Buffer {
  const btf = largestBtf(unpacked(readFileSync(path)))
  if (btf === undefined)
    throw new StepError(`${path}: holds no BTF (CONFIG_DEBUG_INFO_BTF is off, or it is compressed in an unknown way)`)
  return btf
}

/**
 * Every BTF in the bytes begins with the magic, but the magic also stands in
 * code; only lengths that fit tell them apart. The kernel's own is the largest.
 */
export function largestBtf(bytes: Buffer): Buffer | undefined {
  let best: Buffer | undefined
  for (let at = bytes.indexOf(btfMagic); at >= 0; at = bytes.indexOf(btfMagic, at + 1)) {
    const found = btfAt(bytes, at)
    if (found !== undefined && found.length > (best?.length ?? 0)) best = found
  }
  return best
}

function btfAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + btfHeaderLength > bytes.length || bytes.readUInt32LE(at + 4) !== btfHeaderLength) return undefined
  const typesOffset = bytes.readUInt32LE(at + 8)
  const typesLength = bytes.readUInt32LE(at + 12)
  const stringsOffset = bytes.readUInt32LE(at + 16)
  const stringsLength = bytes.readUInt32LE(at + 20)
  const end = at + btfHeaderLength + stringsOffset + stringsLength
  const fits = typesOffset === 0 && stringsOffset === typesLength && stringsLength > 1 && end <= bytes.length
  // the string section begins with the empty string and ends a string
  if (!fits || bytes[end - stringsLength] !== 0 || bytes[end - 1] !== 0) return undefined
  return bytes.subarray(at, end)
}

/** arm64 images are plain; x86's bzImage holds the kernel compressed (Documentation/arch/x86/boot.rst). */
function unpacked(image: Buffer): Buffer {
  if (image.toString('latin1', 0x202, 0x206) !== 'HdrS') return image
  const setupSectors = image[0x1f1] || 4
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248)
  // its last four bytes tell the unpacked size; they are not part of the stream
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4)
  return decompress(payload)
}

const decompressors: Readonly<Record<string, readonly string[]>> = {
  '02214c18': ['lz4', '-dc'],
  '28b52ffd': ['zstd', '-dcq'],
  fd377a58: ['xz', '-dcq'],
}

function decompress(payload: Buffer): Buffer {
  const magic = payload.toString('hex', 0, 4)
  const command = decompressors[magic]
  if (command === undefined)
    throw new StepError(`kernel image: compressed in an unknown way (its payload begins ${magic})`)
  const [program = '', ...options] = command
  const run = spawnSync(program, options, { input: payload, maxBuffer: 1 << 30 })
  if (run.status !== 0) throw new StepError(`${command.join(' ')} of a kernel image failed: ${run.stderr ?? run.error}`)
  return run.stdout
}
