import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { archOf } from '../../scripts/cross/arch.ts'
import { boardFolder } from './board-folder.ts'

/*
 * Each script runs in a Node of its own: what is tested is that it ends, by
 * itself and in good health. `a` is the addon, `open` opens a real object.
 */
const preamble = `
  const { readFileSync } = require('node:fs')
  const a = require(${JSON.stringify(resolve('dist/linux-x64/fpstack.node'))})
  const bytes = readFileSync(${JSON.stringify(join(await boardFolder(archOf('x64')), 'probe.bpf.o'))})
  const open = () => a.openObject(bytes, 'probe', undefined)
`

async function run(script: string, ...flags: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-e', preamble + script])
  return stdout.trim()
}

test('the garbage collector closes what nobody holds', async () => {
  const script = `
    const rounds = (count) => {
      for (let round = 0; round < count; round++) {
        const object = open()
        if (round % 3 === 0) a.closeObject(object)
        if (round % 7 === 0) a.maps(object)
        if (round % 50 === 0) gc()
      }
    }
    const settle = () => new Promise((done) => { gc(); setTimeout(done, 20) })
    const main = async () => {
      rounds(500)
      await settle()
      const before = process.memoryUsage.rss()
      for (let i = 0; i < 6; i++) { rounds(500); await settle() }
      console.log(Math.round((process.memoryUsage.rss() - before) / 3000))
    }
    main()
  `
  // an open object takes about 100 KB; this is bytes a round
  expect(Number(await run(script, '--expose-gc'))).toBeLessThan(10_000)
})

test('damaged objects are refused or opened, and crash nothing', async () => {
  const script = `
    let state = 0x2545f491
    const random = (below) => {
      state ^= state << 13; state ^= state >>> 17; state ^= state << 5
      return (state >>> 0) % below
    }
    let refused = 0
    for (let round = 0; round < 3000; round++) {
      const damaged = Buffer.from(round % 10 ? bytes : bytes.subarray(0, random(bytes.length)))
      for (let times = random(8); times >= 0; times--) if (damaged.length) damaged[random(damaged.length)] = random(256)
      const object = a.openObject(damaged, 'damaged', undefined)
      if (typeof object === 'number') { refused++; continue }
      a.programs(object); a.maps(object)
      for (const name of ['own_tid', 'seed', 'nope']) a.setGlobal(object, name, new Uint8Array(4))
      a.closeObject(object)
    }
    console.log(refused)
  `
  const refused = Number(await run(script))
  expect(refused).toBeGreaterThan(500)
  expect(refused).toBeLessThan(2500)
})

test('workers load it each for itself, and may be terminated at any time', async () => {
  const script = `
    const { Worker } = require('node:worker_threads')
    const source = ${JSON.stringify(preamble)} + \`
      const { parentPort } = require('node:worker_threads')
      const held = []
      const more = () => {
        held.push(open())
        // libbpf keeps a descriptor for each map of an open object, and a process has few
        if (held.length > 10) a.closeObject(held.shift())
        parentPort.postMessage(held.length)
        setImmediate(more)
      }
      more()
    \`
    const main = async () => {
      let ended = 0
      for (let round = 0; round < 5; round++) {
        const workers = [1, 2, 3, 4].map(() => new Worker(source, { eval: true }))
        await Promise.all(workers.map((worker) => new Promise((heard) => worker.once('message', heard))))
        a.closeObject(open())
        await Promise.all(workers.map((worker) => worker.terminate()))
        ended += workers.length
      }
      console.log(ended, a.programs(open()).length > 0)
    }
    main()
  `
  expect(await run(script)).toBe('20 true')
})

test('a worker’s handle does not pass for one of the main thread’s', async () => {
  const script = `
    const { Worker } = require('node:worker_threads')
    const worker = new Worker(${JSON.stringify(preamble)} + 'require("node:worker_threads").parentPort.postMessage(open())', { eval: true })
    worker.once('message', (object) => {
      try { a.programs(object) } catch (error) { console.log(error.name) }
    })
  `
  expect(await run(script)).toBe('TypeError')
})
