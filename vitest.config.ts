import { defineConfig } from 'vitest/config'

/** Two boards at once are what two cores carry; a test's own time limit is for a stalled board. */
export default defineConfig({
  test: {
    reporters: [process.stdout.isTTY ? 'default' : 'verbose', './test/support/closing-reporter.ts'],
    projects: [
      {
        test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/native/**/*.test.ts'], testTimeout: 60_000 },
      },
      {
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 2,
          // After the unit tests: those are done in seconds, and boards want both cores.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
