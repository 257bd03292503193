/*
 * Runs on the board: counts stacks with room for one key and a ring of 16 KiB, so that nearly every
 * event is streamed, the ring wraps hundreds of times and is full at times. Prints what it found as JSON.
 *
 * usage: node overflow.cjs COMMAND [ARGUMENT]...
 */
const { spawn } = require('node:child_process')
const { readFileSync } = require('node:fs')
const addon = require('/opt/fpstack/fpstack.node')

const record = { size: 80, key: 48, weight: 48, kernelFrames: 56, userFrames: 60 }

function must(answer, what) {
  if (typeof answer === 'number' && answer < 0) throw new Error(`${what}: ${answer}\n${addon.takeLog()}`)
  return answer
}

const u32 = (value) => new Uint8Array(Uint32Array.of(value).buffer)
const object = must(addon.openObject(readFileSync('/opt/fpstack/stacks.bpf.o'), 'overflow', undefined), 'open')
for (const { name } of addon.programs(object)) must(addon.setAutoload(object, name, name === 'on_kprobe'), name)
must(addon.setMaxEntries(object, 'counts', 1), 'counts')
must(addon.setMaxEntries(object, 'records', 16384), 'records')
must(addon.setGlobal(object, 'filter_comm', Uint8Array.of(1)), 'filter')
must(addon.setGlobal(object, 'depth', u32(127)), 'depth')
must(addon.load(object), 'load')
const comm = Buffer.alloc(16)
comm.write('static_demo')
must(addon.update(object, 'comms', comm, Uint8Array.of(1)), 'comm')
const ring = must(addon.openRing(object, 'records'), 'ring')
const link = must(addon.attachKprobe(object, 'on_kprobe', 'do_sys_openat2', 0, false), 'attach')

const found = { announced: 0, streamed: 0, bytes: 0, wrong: 0 }
const frames = new Map()
const room = Buffer.alloc(65536)

function take() {
  for (let used = must(addon.readRing(ring, room), 'read'); used > 0; used = must(addon.readRing(ring, room), 'read')) {
    for (let at = 0; at < used; ) {
      const length = room.readUInt32LE(at)
      look(room.subarray(at + 4, at + 4 + length))
      at += (4 + length + 7) & ~7
      found.bytes += length
    }
  }
}

/** One key, one list of frames, whole: what a wrongly copied record would not have. */
function look(bytes) {
  const words = bytes.readUInt32LE(record.kernelFrames) + bytes.readUInt32LE(record.userFrames)
  if (bytes.length !== record.size + 8 * words) found.wrong++
  const key = bytes.toString('latin1', 0, record.key)
  const list = bytes.toString('latin1', record.size)
  if (!frames.has(key)) frames.set(key, list)
  if (frames.get(key) !== list) found.wrong++
  if (bytes.readUInt32LE(record.weight) === 0) found.announced++
  else found.streamed++
}

async function drain() {
  while ((await addon.waitRing(ring)) === 1) take()
}

function end() {
  addon.closeLink(link)
  take()
  const cpu = addon.maps(object).find(({ name }) => name === 'cpus').valueSize
  const stride = (cpu + 7) & ~7
  const values = Buffer.alloc(stride * addon.possibleCpus())
  must(addon.lookup(object, 'cpus', u32(0), values), 'totals')
  const totals = [0, 1, 2, 3].map((slot) => {
    let sum = 0
    for (let at = 0; at < values.length; at += stride) sum += Number(values.readBigUInt64LE(at + 8 * slot))
    return sum
  })
  const [seen, counted, streamed, unsent] = totals
  process.stdout.write(
    `${JSON.stringify({ ...found, keys: frames.size, totals: { seen, counted, streamed, unsent } })}\n`,
  )
  addon.cancelRing(ring)
  addon.closeRing(ring)
  addon.closeObject(object)
}

drain()
spawn(process.argv[2], process.argv.slice(3), { stdio: ['ignore', 'ignore', 'inherit'] }).once('exit', end)
