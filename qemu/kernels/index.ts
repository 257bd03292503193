import { linux5_10 } from './linux-5.10.ts'
import { linux6_1 } from './linux-6.1.ts'
import { linux6_12 } from './linux-6.12.ts'
import { linuxLatest } from './linux-latest.ts'
import { linuxRt } from './linux-rt.ts'
import type { TestKernel } from './test-kernel.ts'

/** The kernels tests run on; a further one is a file and a line here. */
export const kernels = {
  '5.10': linux5_10,
  '6.1': linux6_1,
  '6.12': linux6_12,
  latest: linuxLatest,
  rt: linuxRt,
} satisfies Record<string, TestKernel>

export type KernelName = keyof typeof kernels
export const kernelNames = Object.keys(kernels) as KernelName[]
