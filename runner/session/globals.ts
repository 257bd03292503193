import type { Global } from '../types.ts'

/** A global's bytes as the BPF program has it: little-endian, C's widths. */
export function encodeGlobal(global: Global): Uint8Array {
  switch (global.type) {
    case 'bool':
      return Uint8Array.of(global.value ? 1 : 0)
    case 'u32':
      return new Uint8Array(Uint32Array.of(global.value).buffer)
    case 'u64':
      return new Uint8Array(BigUint64Array.of(global.value).buffer)
  }
}
