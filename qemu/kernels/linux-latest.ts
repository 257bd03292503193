import type { TestKernel } from './test-kernel.ts'

export const linuxLatest: TestKernel = {
  suite: 'sid',
  arches: ['arm64', 'amd64'],
  package: 'linux-binary-RELEASE',
  image: 'usr/lib/modules/RELEASE/vmlinuz',
  series: '',
  flavour: 'cloud',
  modules: [],
}
