import type { TestKernel } from './test-kernel.ts'

export const linux6_12: TestKernel = {
  suite: 'trixie',
  arches: ['arm64', 'amd64'],
  package: 'linux-image-RELEASE-unsigned',
  image: 'boot/vmlinuz-RELEASE',
  series: '6.12.',
  flavour: 'cloud',
  modules: [],
}
