import type { DebianArch, Suite } from '../../scripts/setup/apt.ts'

/** What tells one test kernel from another. */
export interface TestKernel {
  readonly suite: Suite
  readonly arches: readonly DebianArch[]
  /** Name of the package that holds the image, RELEASE and ARCH standing for themselves. */
  readonly package: string
  /** The image's path in it. */
  readonly image: string
  /** Beginning of the releases meant: a suite may hold several series side by side. */
  readonly series: string
  /** Flavour at the end of the release, before the architecture. */
  readonly flavour: 'cloud' | 'rt'
  /** Modules the guest's channel needs, in the image's package; what they depend on is found. */
  readonly modules: readonly string[]
}
