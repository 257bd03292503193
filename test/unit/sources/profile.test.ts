import { expect, test } from 'vitest'
import { profile } from '../../../runner/sources/profile.ts'

const usage = (message: string) => expect.objectContaining({ code: 'usage', message })

test.each([
  ['hz:1', 1],
  ['hz:99', 99],
  ['hz:100000', 100_000],
])('%s is understood', (rest, hz) => {
  expect(profile.parse(rest, `profile:${rest}`)).toEqual({ hz })
})

test.each(['hz:0', 'hz:100001', `hz:${'9'.repeat(400)}`])('%s is out of range', (rest) => {
  expect(() => profile.parse(rest, `profile:${rest}`)).toThrow(
    usage(`read profile:${rest}: the rate has to be from 1 to 100000 a second`),
  )
})

test.each(['', '99', 'hz', 'hz:', 'hz:-1', 'hz:1.5', 'hz:0x63', 'hz:99 ', 'hz:99\n', 's:1', 'ms:10', 'hz:99:1'])(
  'profile:%j is refused',
  (rest) => {
    expect(() => profile.parse(rest, `profile:${rest}`)).toThrow(
      usage(`read profile:${rest}: not of the form profile:hz:N; for example profile:hz:99`),
    )
  },
)

test('it samples the software clock, which every board has', () => {
  const calls: unknown[] = []
  const never = () => expect.unreachable()
  profile.attach({ hz: 99 }, { kprobe: never, tracepoint: never, sample: (...all: unknown[]) => calls.push(all) })
  const [PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK] = [1, 0n]
  expect(calls).toEqual([[PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, 99n]])
})
