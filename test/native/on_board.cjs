/**
 * Run by the board's Node: node on_board.cjs SCENARIO. Ends with the word "held"
 * when everything the scenario claims was so. test/kernel/addon.test.ts calls it.
 */
const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { readFileSync, readdirSync, readlinkSync } = require('node:fs')
const { setTimeout: sleep } = require('node:timers/promises')
const { Worker } = require('node:worker_threads')

const addon = require('/opt/fpstack/fpstack.node')
const bytes = readFileSync(`${__dirname}/probe.bpf.o`)
/** A system call that neither Node nor libbpf makes by itself: files they open, now and then. */
const eventFunction = process.arch === 'arm64' ? '__arm64_sys_umask' : '__x64_sys_umask'
const onePage = { keySize: 4, valueSize: 8 }

function u32(value) {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

function opened() {
  const object = addon.openObject(bytes, 'probe', undefined)
  assert.equal(typeof object, 'object', `openObject: ${object}`)
  assert.equal(addon.setGlobal(object, 'own_tid', u32(process.pid)), 0)
  return object
}

function loaded() {
  const object = opened()
  assert.equal(addon.load(object), 0, addon.takeLog())
  return object
}

/** Hold what this answers: a link that nobody holds is closed by the garbage collector. */
function attached(object) {
  const link = addon.attachKprobe(object, 'on_event', eventFunction, 0, false)
  assert.equal(typeof link, 'object', `attachKprobe: ${link} ${addon.takeLog()}`)
  return link
}

function ringOf(object) {
  const ring = addon.openRing(object, 'records')
  assert.equal(typeof ring, 'object', `openRing: ${ring}`)
  return ring
}

function makeEvents(count) {
  for (let done = 0; done < count; done++) process.umask(0o022)
}

function totalOf(object) {
  const value = Buffer.alloc(onePage.valueSize)
  assert.equal(addon.lookup(object, 'total', u32(0), value), 0)
  return Number(value.readBigUInt64LE())
}

/** Reads what waits in the ring; each record has to be the one after the last. */
function reader(ring, bufferBytes) {
  const buffer = Buffer.alloc(bufferBytes)
  let next = 0
  return {
    get read() {
      return next
    },
    drain() {
      for (;;) {
        buffer.fill(0xee)
        const used = addon.readRing(ring, buffer)
        assert.ok(used >= 0, `readRing: ${used}`)
        if (used === 0) return
        for (let at = 0; at < used; ) {
          const length = buffer.readUInt32LE(at)
          const record = buffer.subarray(at + 4, at + 4 + length)
          assert.equal(Number(record.readBigUInt64LE()), next)
          assert.equal(length, 8 + (next & 55))
          assert.ok(record.subarray(8).every((byte) => byte === (next & 0xff)))
          const padding = -(4 + length) & 7
          at += 4 + length + padding
          assert.ok(
            buffer.subarray(at - padding, at).every((byte) => byte === 0),
            'padding',
          )
          next++
        }
        assert.ok(
          buffer.subarray(used).every((byte) => byte === 0xee),
          'wrote past what it answered',
        )
      }
    },
  }
}

/** Every entry of a map, each once. */
function entriesOf(object, map, room) {
  const { keySize, valueSize } = addon.maps(object).find(({ name }) => name === map)
  const cursor = Buffer.alloc(keySize + 8)
  const keys = Buffer.alloc(keySize * room)
  const values = Buffer.alloc(valueSize * room)
  const found = new Map()
  for (;;) {
    const count = addon.readMap(object, map, cursor, keys, values)
    if (count < 0) return count
    if (count === 0) break
    for (let row = 0; row < count; row++) {
      const key = keys.toString('hex', row * keySize, (row + 1) * keySize)
      assert.ok(!found.has(key), `${key} came twice`)
      found.set(key, values.toString('hex', row * valueSize, (row + 1) * valueSize))
    }
  }
  assert.equal(addon.readMap(object, map, cursor, keys, values), 0, 'the end stays the end')
  return found
}

function bpfDescriptors() {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`)
      } catch {
        return ''
      }
    })
    .filter((target) => /bpf|perf_event/.test(target))
}

/** A link's program goes after a grace period of the kernel's. */
async function nothingIsLeft() {
  const held = () => [...bpfDescriptors(), ...addon.kernelPrograms(), ...listed(addon.kernelLinks())]
  for (let tries = 0; tries < 100 && held().length > 0; tries++) await sleep(50)
  assert.deepEqual(held(), [])
}

/** Links can be listed since 5.8. */
function listed(links) {
  if (typeof links === 'number') assert.equal(links, -22)
  return typeof links === 'number' ? [] : links
}

const scenarios = {
  async counts() {
    const object = loaded()
    const ring = ringOf(object)
    const link = attached(object)
    const records = reader(ring, 1000)
    makeEvents(100)
    records.drain()
    makeEvents(37)
    addon.closeLink(link)
    makeEvents(50)
    records.drain()
    assert.equal(totalOf(object), 137)
    assert.equal(records.read, 137)
    const value = Buffer.alloc(16 * addon.possibleCpus())
    assert.equal(addon.lookup(object, 'by_cpu', u32(0), value), 0)
    let sum = 0
    for (let at = 0; at < value.length; at += 16) sum += value[at]
    assert.equal(sum, 137)
    const again = Buffer.alloc(value.length * 2)
    assert.equal(addon.readMap(object, 'by_cpu', Buffer.alloc(12), Buffer.alloc(8), again), 2)
    assert.deepEqual(again.subarray(0, value.length), value)
    assert.equal(addon.readMap(object, 'by_cpu', Buffer.alloc(12), Buffer.alloc(8), value), 1)
    const status = addon.programStatus(object, 'on_event')
    assert.match(status.tag, /^[0-9a-f]{16}$/)
    assert.ok(
      addon.kernelPrograms().some(({ id, name, type }) => id === status.id && name === 'on_event' && type === 2),
    )
    assert.equal(addon.load(object), -16)
    assert.equal(addon.setGlobal(object, 'own_tid', u32(1)), -16)
  },

  async globals() {
    const object = opened()
    assert.equal(addon.setGlobal(object, 'increment', u32(1000)), 0)
    assert.equal(addon.setGlobal(object, 'calls', Buffer.from([5, 0, 0, 0, 0, 0, 0, 0])), 0)
    assert.equal(addon.setGlobal(object, 'seed', Buffer.alloc(16)), 0)
    assert.equal(addon.setGlobal(object, 'pair', Buffer.alloc(16)), 0)
    assert.equal(addon.setGlobal(object, 'hidden', Buffer.alloc(1)), 0)
    assert.equal(addon.load(object), 0, addon.takeLog())
    const link = attached(object)
    makeEvents(3)
    addon.closeLink(link)
    const { valueSize } = addon.maps(object).find(({ name }) => name === 'probe.bss')
    const bss = Buffer.alloc(valueSize)
    assert.equal(addon.lookup(object, 'probe.bss', u32(0), bss), 0)
    assert.equal(bss.readBigUInt64LE(), 3005n)
  },

  async batches() {
    const object = loaded()
    for (const map of ['numbers', 'prefixes']) assert.equal(entriesOf(object, map, 10).size, 0)
    const expected = new Map()
    for (let n = 0; n < 5000; n++) {
      const value = Buffer.alloc(8)
      value.writeUInt32LE(n * 3)
      assert.equal(addon.update(object, 'numbers', u32(n), value), 0)
      expected.set(u32(n).toString('hex'), value.toString('hex'))
    }
    for (const room of [64, 1000, 5000, 20000]) assert.deepEqual(entriesOf(object, 'numbers', room), expected)
    assert.ok([-28, 5000].includes(entriesOf(object, 'numbers', 1).size ?? entriesOf(object, 'numbers', 1)))
    for (let n = 0; n < 700; n++) {
      const key = Buffer.concat([u32(32), u32(n)])
      assert.equal(addon.update(object, 'prefixes', key, u32(n)), 0)
    }
    for (const room of [1, 64, 1000]) assert.equal(entriesOf(object, 'prefixes', room).size, 700)

    const room = (n) => Buffer.alloc(n)
    const read = (cursor, keys, values) => addon.readMap(object, 'numbers', room(cursor), room(keys), room(values))
    for (const [cursor, keys, values] of [
      [0, 4, 8],
      [11, 4, 8],
      [13, 4, 8],
      [12, 3, 8],
      [12, 4, 7],
      [12, 0, 0],
    ])
      assert.equal(read(cursor, keys, values), -22)
    assert.equal(addon.readMap(object, 'numbers', Buffer.alloc(12, 0xff), room(40), room(80)), -22)
    assert.ok(addon.readMap(object, 'records', room(8), room(8), room(8)) < 0)
    assert.equal(addon.lookup(object, 'numbers', u32(1), room(7)), -22)
    assert.equal(addon.lookup(object, 'numbers', room(5), room(8)), -22)
    assert.equal(addon.lookup(object, 'by_cpu', u32(0), room(12)), -22)
    assert.equal(addon.lookup(object, 'numbers', u32(99999), room(8)), -2)
    assert.equal(addon.update(object, 'numbers', u32(99999), room(8)), -7)
  },

  async waiting() {
    const object = loaded()
    const ring = ringOf(object)
    const link = attached(object)
    const records = reader(ring, 4096)
    const first = addon.waitRing(ring)
    assert.equal(await addon.waitRing(ring), -16)
    const switches = () =>
      Number(readFileSync('/proc/self/status', 'utf8').match(/nonvoluntary.*|voluntary\D*(\d+)/)[1])
    addon.closeLink(link)
    await sleep(200)
    records.drain()
    const before = switches()
    await sleep(2000)
    assert.ok(switches() - before <= 4, `woke ${switches() - before} times in 2 s with nothing to read`)

    const again = attached(object)
    makeEvents(1)
    assert.equal(await first, 1)
    assert.equal(await addon.waitRing(ring), 1)
    assert.equal(addon.readRing(ring, Buffer.alloc(8)), -90)
    records.drain()
    const target = records.read + 20_000
    const produce = async () => {
      for (let made = 0; made < 20_000; made += 100) {
        makeEvents(100)
        await new Promise(setImmediate)
      }
    }
    const consume = async () => {
      while (records.read < target) {
        assert.equal(await addon.waitRing(ring), 1)
        records.drain()
      }
    }
    await Promise.all([produce(), consume()])
    assert.equal(records.read, target)
    assert.equal(records.read, totalOf(object))

    const second = addon.waitRing(ring)
    addon.cancelRing(ring)
    assert.equal(await second, 0)
    assert.equal(await addon.waitRing(ring), 0)
    makeEvents(1)
    assert.equal(await addon.waitRing(ring), 0)
    records.drain()
    addon.closeLink(again)
  },

  /** Links, rings and objects closed in every order, once and twice, while a wait is pending and not. */
  async orders() {
    const orders = (list) =>
      list.length < 2
        ? [list]
        : list.flatMap((one) => orders(list.filter((other) => other !== one)).map((rest) => [one, ...rest]))
    for (const order of orders(['link', 'ring', 'object'])) {
      for (const [times, pending] of [
        [1, false],
        [1, true],
        [2, true],
      ]) {
        const object = loaded()
        const held = { object, link: attached(object), ring: ringOf(object) }
        // no event is made meanwhile, so it waits
        addon.readRing(held.ring, Buffer.alloc(60000))
        const wait = pending ? addon.waitRing(held.ring) : undefined
        for (const name of order) {
          for (let time = 0; time < times; time++) {
            if (name === 'object') addon.closeObject(held.object)
            else if (name === 'ring') addon.closeRing(held.ring)
            else addon.closeLink(held[name])
          }
        }
        if (pending) assert.equal(await wait, 0)
        assert.equal(addon.readRing(held.ring, Buffer.alloc(64)), -9)
        assert.equal(await addon.waitRing(held.ring), 0)
        addon.cancelRing(held.ring)
      }
    }
    await nothingIsLeft()
  },

  /** node --expose-gc */
  async collected() {
    // not here: a function that awaits holds on to what its loops declared
    for (let round = 0; round < 60; round++) await heldForAMoment(round)
    for (let tries = 0; tries < 5; tries++) {
      gc()
      await sleep(20)
    }
    await nothingIsLeft()

    // a pending wait keeps its ring, and that its object
    const { wait, link } = waitingUnheld()
    for (let tries = 0; tries < 5; tries++) {
      gc()
      await sleep(20)
    }
    makeEvents(1)
    assert.equal(await wait, 1)
    addon.closeLink(link)
  },

  async ends() {
    const run = (script) => {
      const began = Date.now()
      const child = spawnSync(process.execPath, [__filename, 'child', script], { encoding: 'utf8', timeout: 30_000 })
      assert.equal(child.error, undefined, `${script}: ${child.error} after ${Date.now() - began} ms`)
      return child
    }
    assert.equal(run('exit').status, 3)
    assert.match(run('throw').stderr, /thrown on purpose/)
    assert.equal(run('throw').status, 1)
    assert.equal(run('signal').signal, 'SIGTERM')
    assert.equal(run('fall off').status, 0, 'what is not waited for keeps no process alive')
    assert.match(run('worker').stdout, /terminated/)
    assert.equal(run('worker exits').status, 0)
    await nothingIsLeft()
  },

  /** What scenario "ends" starts. */
  async child(how) {
    const object = loaded()
    const ring = ringOf(object)
    if (how === 'fall off') return
    if (how.startsWith('worker')) {
      addon.closeObject(object)
      const worker = new Worker(__filename, { argv: [how === 'worker' ? 'stay' : 'leave'] })
      if (how === 'worker') {
        await new Promise((told) => worker.once('message', told))
        await worker.terminate()
      } else await new Promise((gone) => worker.once('exit', gone))
      await nothingIsLeft()
      process.stdout.write('terminated\n')
      return
    }
    addon.waitRing(ring).then(() => assert.fail('nothing came'))
    await sleep(100)
    if (how === 'exit') process.exit(3)
    if (how === 'signal') process.kill(process.pid, 'SIGTERM')
    setImmediate(() => {
      throw new Error('thrown on purpose')
    })
    await sleep(10_000)
  },

  /** In a worker: waits until it is terminated. */
  async stay() {
    const object = loaded()
    const link = attached(object)
    const ring = ringOf(object)
    addon.closeLink(link)
    reader(ring, 60000).drain()
    const wait = addon.waitRing(ring)
    require('node:worker_threads').parentPort.postMessage('waiting')
    await wait
  },

  /** In a worker: exits with a wait pending. */
  async leave() {
    const object = loaded()
    void addon.waitRing(ringOf(object))
    await sleep(50)
    process.exit(0)
  },

  async attaches() {
    const object = loaded()
    const calls = () => {
      const { valueSize } = addon.maps(object).find(({ name }) => name === 'probe.bss')
      const bss = Buffer.alloc(valueSize)
      assert.equal(addon.lookup(object, 'probe.bss', u32(0), bss), 0)
      return Number(bss.readBigUInt64LE())
    }
    const point = addon.attachTracepoint(object, 'on_point', 'syscalls', 'sys_enter_umask')
    assert.equal(typeof point, 'object', `attachTracepoint: ${point} ${addon.takeLog()}`)
    makeEvents(9)
    assert.equal(calls(), 9)
    addon.closeLink(point)
    const clock = { type: 1, config: 0n, pid: -1, cpu: 0 }
    for (const rate of [{ frequency: 999n }, { period: 1_000_000n }]) {
      const before = calls()
      const link = addon.attachPerfEvent(object, 'on_sample', { ...clock, ...rate })
      assert.equal(typeof link, 'object', `attachPerfEvent: ${link} ${addon.takeLog()}`)
      for (const until = Date.now() + 3000; calls() === before && Date.now() < until; );
      assert.ok(calls() > before)
      addon.closeLink(link)
      await sleep(100)
      const after = calls()
      await sleep(100)
      assert.equal(calls(), after, 'a closed link samples nothing')
    }
    assert.equal(addon.attachKprobe(object, 'on_event', 'no_such_function', 0, false), -2)
    assert.ok(addon.attachTracepoint(object, 'on_point', 'syscalls', 'no_such_point') < 0)
    assert.ok(addon.attachPerfEvent(object, 'on_sample', { ...clock, type: 4242, period: 1n }) < 0)
    assert.ok(addon.attachPerfEvent(object, 'on_event', { ...clock, period: 1_000_000n }) < 0, 'a kprobe program')
    const returning = addon.attachKprobe(object, 'on_event', eventFunction, 0, true)
    const before = totalOf(object)
    makeEvents(5)
    assert.equal(totalOf(object) - before, 5)
    addon.closeLink(returning)
    addon.closeObject(object)
    await nothingIsLeft()
  },

  async shares() {
    const first = loaded()
    const second = opened()
    assert.equal(addon.shareMap(second, 'nope', first), -2)
    for (const map of ['total', 'records']) assert.equal(addon.shareMap(second, map, first), 0)
    assert.equal(addon.load(second), 0, addon.takeLog())
    assert.equal(addon.shareMap(second, 'numbers', first), -16)
    const ring = ringOf(first)
    const links = [attached(first), attached(second)]
    makeEvents(10)
    for (const link of links) addon.closeLink(link)
    assert.equal(totalOf(first), 20)
    assert.equal(totalOf(second), totalOf(first))
    const records = reader(ring, 4096)
    addon.closeObject(second)
    records.drain()
    assert.equal(records.read, 20)
  },

  async sideband() {
    for (const pages of [0, 3, 8192]) assert.equal(addon.openSideband(pages), -22)
    const sideband = addon.openSideband(64)
    assert.equal(typeof sideband, 'object', `openSideband: ${sideband}`)
    spawnSync('true')
    const buffer = Buffer.alloc(1 << 17)
    const types = new Set()
    for (let used = addon.readSideband(sideband, buffer); used > 0; used = addon.readSideband(sideband, buffer)) {
      let at = 0
      for (; at < used; at += buffer.readUInt16LE(at + 6)) types.add(buffer.readUInt32LE(at))
      assert.equal(at, used, 'whole records')
    }
    // PERF_RECORD_COMM, EXIT, FORK, MMAP2
    for (const type of [3, 4, 7, 10]) assert.ok(types.has(type), `no record of type ${type}`)
    spawnSync('true')
    assert.equal(addon.readSideband(sideband, Buffer.alloc(7)), 0)
    addon.closeSideband(sideband)
    addon.closeSideband(sideband)
    assert.equal(addon.readSideband(sideband, buffer), 0)
    assert.throws(() => addon.closeRing(sideband), TypeError)
    await nothingIsLeft()
  },

  async refused() {
    const object = opened()
    assert.equal(addon.setAutoload(object, 'refused', true), 0)
    assert.equal(addon.load(object), -13)
    assert.match(addon.takeLog(), /refused[\s\S]*R0 invalid mem access/)
    assert.ok(addon.programStatus(object, 'on_event') < 0)
    addon.closeObject(object)
    await nothingIsLeft()
  },

  async unprivileged() {
    const object = opened()
    assert.equal(addon.load(object), -1)
    assert.equal(addon.kernelPrograms(), -1)
    addon.closeObject(object)
  },
}

async function heldForAMoment(round) {
  const object = loaded()
  if (round % 2) attached(object)
  const ring = round % 3 ? ringOf(object) : undefined
  if (ring && round % 5 === 0) {
    const wait = addon.waitRing(ring)
    addon.cancelRing(ring)
    assert.equal(await wait, 0)
  }
  if (round % 7 === 0) addon.closeObject(object)
  if (round % 4 === 0) gc()
}

function waitingUnheld() {
  const object = loaded()
  const link = attached(object)
  const ring = ringOf(object)
  reader(ring, 60000).drain()
  return { wait: addon.waitRing(ring), link }
}

async function main([name, ...more]) {
  await scenarios[name](...more)
  process.stdout.write('held\n')
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n`)
  // a wait that is still pending would keep the process alive
  process.exit(1)
})
