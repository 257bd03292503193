/**
 * `npm start`: builds everything, boots an aarch64 board, and runs there what
 * an engineer would type. Prints what the board printed.
 */
import { bootGuest } from '../qemu/guest.ts'
import { GuestError } from '../qemu/guest-error.ts'
import { build } from './cross/build.ts'
import { StepError, timed } from './setup/step.ts'

const event = 'kprobe:do_sys_openat2'
const trace = ['fpstack', 'trace', event, '--comm', 'static_demo', '--duration', '5']

try {
  await build()
  await using board = await timed('boot an aarch64 board (arm64 6.12)', () =>
    bootGuest({ arch: 'arm64', kernel: '6.12' }),
  )
  const demo = await board.start(['static_demo'])
  process.stdout.write(`board# uname -rm\n${(await board.run(['uname', '-rm'])).stdout}`)
  process.stdout.write(`board# static_demo &\nboard# ${trace.join(' ')}\n`)
  const traced = await board.start(trace, {
    onStdout: (chunk) => process.stdout.write(chunk),
    onStderr: (chunk) => process.stderr.write(chunk),
  })
  const { code } = await traced.done
  await demo.kill('SIGTERM')
  await demo.done
  if (code !== 0) throw new StepError(`fpstack ended with exit code ${code} on the board`)
} catch (error) {
  throw error instanceof GuestError ? new StepError(error.message) : error
}
