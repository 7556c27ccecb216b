import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Most tests wait for a server or a disk: on two cores, two workers are faster than the one vitest would take.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
})
