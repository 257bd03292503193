import type { TestKernel } from './test-kernel.ts'

export const linux6_1: TestKernel = {
  suite: 'bookworm',
  arches: ['arm64', 'amd64'],
  package: 'linux-image-RELEASE-unsigned',
  image: 'boot/vmlinuz-RELEASE',
  series: '6.1.',
  flavour: 'cloud',
  modules: ['virtio_pci', 'virtio_console'],
}
