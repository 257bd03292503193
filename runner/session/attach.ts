import { existsSync } from 'node:fs'
import { errnoText, failure } from '../errors.ts'
import { onlineCpus } from '../kernel/cpus.ts'
import { readKallsyms } from '../kernel/kallsyms.ts'
import { nearestNames } from '../kernel/nearest.ts'
import { explainRefusal } from '../kernel/permissions.ts'
import { findTracefs, hasTracepoint, tracepointNames } from '../kernel/tracefs.ts'
import type { Addon, Errno, LinkHandle, ObjectHandle } from '../native.ts'
import type { Attacher } from '../sources/source.ts'
import type { EventPlan } from '../types.ts'

const EPERM = -1
const ENOENT = -2
const EACCES = -13
const EINVAL = -22
const EADDRNOTAVAIL = -99

/** Attaches one event's program; what it attached goes to keep, also when a later part fails. */
export function attacherFor(
  addon: Addon,
  object: ObjectHandle,
  event: EventPlan,
  keep: (link: LinkHandle) => void,
): Attacher {
  const held = (link: LinkHandle | Errno, explain: (errno: Errno) => Error): void => {
    if (typeof link === 'number') throw explain(link)
    keep(link)
  }
  return {
    kprobe(symbol, offset) {
      const link = addon.attachKprobe(object, event.program, symbol, offset, false)
      held(link, (errno) => kprobeRefused(event.text, symbol, offset, errno))
    },
    tracepoint(category, name) {
      const link = addon.attachTracepoint(object, event.program, category, name)
      held(link, (errno) => tracepointRefused(event.text, category, name, errno))
    },
    sample(type, config, frequency) {
      for (const cpu of onlineCpus()) {
        const link = addon.attachPerfEvent(object, event.program, { type, config, frequency, pid: -1, cpu })
        held(link, (errno) => sampleRefused(event.text, errno))
      }
    },
  }
}

function refused(event: string, errno: Errno): Error {
  if (errno !== EPERM && errno !== EACCES) return failure('attach', event, errnoText(errno))
  const { cause, remedy } = explainRefusal('attach')
  return failure('attach', event, cause, remedy)
}

function didYouMean(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `did you mean ${names.join(', ')}?`
}

function kprobeRefused(event: string, symbol: string, offset: number, errno: Errno): Error {
  if (errno === EPERM || errno === EACCES) return refused(event, errno)
  // The kernel tells there how to ask for a probe; without it tracefs has to serve.
  if (!existsSync('/sys/bus/event_source/devices') && findTracefs().path === undefined) {
    return failure('attach', event, 'neither sysfs nor tracefs is mounted', 'mount -t sysfs sysfs /sys')
  }
  const names = new Set(readKallsyms().names())
  if (!names.has(symbol)) {
    return failure('attach', event, 'this kernel has no such function', didYouMean(nearestNames(symbol, names)))
  }
  if (errno === EADDRNOTAVAIL) {
    return failure(
      'attach',
      event,
      'several functions of this kernel have that name',
      'probe a caller or a callee of it',
    )
  }
  const remedy = 'probe a caller or a callee of it'
  if (offset > 0) {
    const cause = `no probe can be set ${offset} bytes into ${symbol} (${errnoText(errno)})`
    return failure('attach', event, cause, 'the offset has to be that of an instruction inside the function')
  }
  if (errno === EINVAL || errno === ENOENT) {
    return failure(
      'attach',
      event,
      'this kernel lets no probe be set on that function (notrace or blacklisted)',
      remedy,
    )
  }
  return failure('attach', event, errnoText(errno), remedy)
}

function tracepointRefused(event: string, category: string, name: string, errno: Errno): Error {
  const tracefs = findTracefs()
  if (tracefs.path === undefined) {
    return tracefs.why === 'absent'
      ? failure('attach', event, 'tracefs is not mounted', 'mount -t tracefs tracefs /sys/kernel/tracing')
      : failure('attach', event, 'tracefs may not be read', 'run it as root or with cap_dac_read_search')
  }
  if (!hasTracepoint(tracefs.path, category, name)) {
    const near = nearestNames(`${category}:${name}`, tracepointNames(tracefs.path))
    return failure('attach', event, 'this kernel has no such tracepoint', didYouMean(near))
  }
  return refused(event, errno)
}

function sampleRefused(event: string, errno: Errno): Error {
  if (errno === EINVAL) {
    return failure('attach', event, 'the kernel refuses that rate', 'see /proc/sys/kernel/perf_event_max_sample_rate')
  }
  return refused(event, errno)
}
