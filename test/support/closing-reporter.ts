import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Ends a run with what was skipped, each with its reason, and with the counts in one plain line. */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const cases = modules.flatMap((module) => [...module.children.allTests()])
    const of = (state: string): TestCase[] => cases.filter((test) => test.result().state === state)
    const skipped = of('skipped')
    for (const test of skipped) {
      const result = test.result()
      const why = result.state === 'skipped' ? result.note : undefined
      process.stdout.write(`skipped: ${test.module.relativeModuleId} > ${test.fullName}: ${why ?? 'no reason given'}\n`)
    }
    const broken = modules.filter((module) => module.state() === 'failed' && module.errors().length > 0).length
    const failed = of('failed').length + broken
    process.stdout.write(`${of('passed').length} passed, ${failed} failed, ${skipped.length} skipped\n`)
  }
}
