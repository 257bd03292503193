import { readFileSync } from 'node:fs'

/** Default of kernel.perf_event_max_stack (PERF_MAX_STACK_DEPTH of linux/perf_event.h). */
const usual = 127

/** Frames the kernel takes of one side at most. */
export function kernelStackDepth(path = '/proc/sys/kernel/perf_event_max_stack'): number {
  try {
    return Number(readFileSync(path, 'utf8')) || usual
  } catch {
    return usual
  }
}
