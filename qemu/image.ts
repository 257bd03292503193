import { randomUUID } from 'node:crypto'
import { closeSync, copyFileSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { baseImage } from './base-image.ts'
import type { NodeLine } from './board-nodes.ts'
import { writeArchive } from './cpio.ts'
import { type Overlay, overlayEntries } from './overlay.ts'

/**
 * The root a guest boots with, as an open file that has no name any more: whatever
 * becomes of us, nothing is left behind. The caller closes it.
 */
export async function boardImage(overlay: Overlay, node: NodeLine): Promise<number> {
  const path = join(tmpdir(), `fpstack-board-${randomUUID()}.cpio`)
  try {
    copyFileSync(await baseImage(overlay.arch, node), path)
    const end = openSync(path, 'a')
    writeArchive(end, overlayEntries(overlay))
    closeSync(end)
    return openSync(path, 'r')
  } finally {
    rmSync(path, { force: true })
  }
}
