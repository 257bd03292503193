import type { Frame, Report, Sample, Stack } from '../../runner/types.ts'

const whole = { cut: false, errno: 0 } as const

/** A sample of which only what matters to a test is said. */
export function madeSample(said: Partial<Sample>): Sample {
  return {
    ...{ event: 0, tgid: 4711, tid: 0, time: 1000n, comm: 'demo', weight: 1, kernel: [], user: [], caller: 0n },
    ...{ kernelState: whole, userState: whole },
    ...said,
  }
}

export function madeStack(said: Partial<Stack>): Stack {
  return {
    ...{ event: 'kprobe:do_sys_openat2', tgid: 4711, tid: 0, comm: 'demo', weight: 1, kernel: [], user: [] },
    ...{ kernelState: whole, userState: whole, userStray: false },
    ...said,
  }
}

/** "symbol+offset object" of the kernel: innermost first. */
export function kernelFrames(...written: string[]): Frame[] {
  return written.map((frame, index) => madeFrame('kernel', frame, 0xffff800080000000n + BigInt(index)))
}

export function userFrames(...written: string[]): Frame[] {
  return written.map((frame, index) => madeFrame('user', frame, 0xaaaa00000000n + BigInt(index)))
}

/** "symbol+12 /path", "+12 /path" without a symbol, "" with neither. */
function madeFrame(side: Frame['side'], written: string, address: bigint): Frame {
  const [place = '', ...rest] = written.split(' ')
  const [symbol = '', offset] = place.split('+')
  return {
    ...{ side, address },
    ...(symbol !== '' && { symbol }),
    ...(offset !== undefined && { offset: BigInt(offset) }),
    ...(rest.length > 0 && { object: rest.join(' ') }),
  }
}

export function madeReport(said: Partial<Report>): Report {
  const totals = {
    seen: 1,
    counted: 1,
    lost: { 'table full': 0, 'stack not sent': 0, 'too many stacks': 0 },
    missed: 0,
  }
  return {
    ...{ events: ['kprobe:do_sys_openat2'], stacks: [], totals, depth: 127 },
    ...{ kernelRelease: '6.12.0-arm64', arch: 'arm64' },
    ...said,
  }
}
