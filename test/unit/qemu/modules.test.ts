import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modulesInOrder } from '../../../qemu/kernels/modules.ts'

const root = mkdtempSync(join(tmpdir(), 'fpstack-modules-'))

beforeAll(() => {
  mkdirSync(join(root, 'kernel/drivers'), { recursive: true })
  const depends = {
    'virtio-ring': 'virtio',
    virtio: '',
    virtio_pci: 'virtio-ring,virtio',
    virtio_console: 'virtio_ring,virtio',
  }
  for (const [name, needed] of Object.entries(depends))
    writeFileSync(join(root, 'kernel/drivers', `${name}.ko`), `\x7fELF\0license=GPL\0depends=${needed}\0intree=Y\0`)
})
afterAll(() => rmSync(root, { recursive: true }))

test('a module comes after all it depends on, and once', () => {
  const names = modulesInOrder(root, ['virtio_pci', 'virtio_console']).map((path) => basename(path))
  expect(names).toEqual(['virtio.ko', 'virtio-ring.ko', 'virtio_pci.ko', 'virtio_console.ko'])
})

test('a module that is not there is named', () => {
  expect(() => modulesInOrder(root, ['nosuch'])).toThrow(/has no module nosuch/)
})

test('where none is wanted there need not be any', () => {
  expect(modulesInOrder('/nowhere', [])).toEqual([])
})
