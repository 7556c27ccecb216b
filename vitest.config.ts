import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // On Node 20 the SDK warns in every worker that it will leave it.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A second, as it is by default, says more about the machine than about the code.
    expect: { poll: { timeout: 30_000, interval: 20 } },
    // A change must not be refused because a loaded machine was slow once. What passes at its second try only is named, with
    // what went wrong first, at the end of the run (run-summary.ts): it is to be looked at, not to be lived with.
    retry: process.env.CI ? 1 : 0,
    // Most tests wait for a server or a disk: on two cores, two workers are faster than the one vitest would take.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
})
