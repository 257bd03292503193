import type { TestKernel } from './test-kernel.ts'

export const linux5_10: TestKernel = {
  suite: 'bullseye',
  arches: ['arm64', 'amd64'],
  package: 'linux-image-RELEASE-unsigned',
  image: 'boot/vmlinuz-RELEASE',
  series: '5.10.',
  flavour: 'cloud',
  modules: ['virtio_pci', 'virtio_console'],
}
