import { readFileSync } from 'node:fs'

/** The CPUs that are online now, from the kernel's list format ("0-3,8"). */
export function onlineCpus(path = '/sys/devices/system/cpu/online'): number[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
}
