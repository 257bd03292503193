import type { TestKernel } from './test-kernel.ts'

/** PREEMPT_RT, which robots and machine tools run. */
export const linuxRt: TestKernel = {
  suite: 'trixie',
  arches: ['arm64'],
  package: 'linux-image-RELEASE-unsigned',
  image: 'boot/vmlinuz-RELEASE',
  series: '6.12.',
  flavour: 'rt',
  modules: [],
}
