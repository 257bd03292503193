import type { Report } from '../../../runner/types.ts'
import { kernelFrames, madeReport, madeStack, userFrames } from '../made-samples.ts'

const openat = ['do_sys_openat2+0 kernel', '__arm64_sys_openat+24 kernel', 'virtio_probe+8 virtio']
const opened = userFrames('open64+68 /usr/lib/libc.so.6', '+4660 /opt/libdemo.so', 'main+16 /opt/pie demo', '')
const spun = { event: 'profile:hz:99', kernelState: { cut: true, errno: 0 }, userStray: true }

/** Of everything a report can hold one. */
export const report: Report = madeReport({
  events: ['kprobe:do_sys_openat2', 'profile:hz:99'],
  stacks: [
    madeStack({ weight: 30, kernel: kernelFrames(...openat), user: opened }),
    madeStack({
      ...{ weight: 10, comm: 'sh', tgid: 12, tid: 13 },
      ...{ kernel: kernelFrames('do_sys_openat2+0 kernel'), userState: { cut: false, errno: 14 } },
    }),
    madeStack({ ...spun, weight: 3, user: userFrames('spin+4 /opt/a', 'main+8 /opt/a') }),
    madeStack({ ...spun, weight: 2, user: userFrames('spin+12 /opt/a', 'main+8 /opt/a') }),
  ],
  totals: { seen: 50, counted: 45, lost: { 'table full': 3, 'stack not sent': 2, 'too many stacks': 0 }, missed: 7 },
})

/** Names of a process that means ill: it clears screens, ends lines and columns, turns text around. */
export const hostile: Report = madeReport({
  events: ['kprobe:a\x1b[2J'],
  stacks: [
    madeStack({
      event: 'kprobe:a\x1b[2J',
      comm: 'a;b\n\x1b]0;\x07\xe2\x80\xae',
      kernel: [{ side: 'kernel', address: 0n, symbol: 'k\r;\x9b31m', offset: 4n, object: 'm\x00d' }],
      user: [
        { side: 'user', address: 0n, symbol: 'a;b 7\n\u202e\u2028c\\', offset: 0n, object: '/tmp/\x1b[31m;\n' },
        { side: 'user', address: 0n, offset: 16n, object: '/tmp/x;\u2066y' },
      ],
    }),
  ],
})
