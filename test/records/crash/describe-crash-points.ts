import { afterAll, describe, expect, it } from 'vitest'
import { runCrashPoints } from './crash-points.ts'
import type { CrashScenario } from './crash-scenario.ts'

export function describeCrashPoints(title: string, scenarios: readonly CrashScenario[]): void {
  let points = 0
  describe(`a failure at every call: ${title}`, () => {
    for (const scenario of scenarios)
      it(`loses nothing and leaves nothing behind: ${scenario.name}`, async () => {
        const report = await runCrashPoints(scenario)
        points += report.points
        expect(report.failures.join('\n')).toBe('')
        expect(report.calls).toBeGreaterThanOrEqual(scenario.calls)
      }, 300_000)
    afterAll(() => console.log(`crash points (${title}): ${points}`))
  })
}
