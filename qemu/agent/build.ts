import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { $ } from 'zx'
import type { Arch } from '../../scripts/cross/arch.ts'
import { step } from '../../scripts/setup/step.ts'

const source = 'qemu/agent/agent.c'
const flags = ['-std=gnu17', '-Os', '-static', '-Wall', '-Wextra', '-Werror', '-s']

/** The agent for one architecture; static, so that it needs nothing of the board. */
export async function buildAgent(arch: Arch): Promise<string> {
  const agent = `build/agent/${arch.name}/agent`
  const about = { name: `guest agent ${arch.name}`, inputs: [source], key: flags.join(' '), outputs: [agent] }
  await step(about, async () => {
    mkdirSync(dirname(agent), { recursive: true })
    const part = `${agent}.${randomUUID()}`
    await $({ quiet: true })`${arch.gnu}gcc ${flags} -o ${part} ${source}`
    renameSync(part, agent)
  })
  return agent
}
