import { describe, test } from 'vitest'
import { everythingIsRequired, findTool, missingTool, type ToolName } from './tools.ts'

/**
 * Declares tests that need a program. Where it is not there, one skipped test carries the reason, or fails where
 * everything is required.
 *
 * @example
 * describeWithTool('chromium', 'in Chromium', path => { … })
 */
export function describeWithTool(name: ToolName, title: string, declare: (path: string) => void): void {
  const path = findTool(name)
  describe(title, () => {
    if (path !== undefined) return declare(path)
    test(`needs ${name}`, context => {
      if (everythingIsRequired()) throw new Error(missingTool(name))
      context.skip(missingTool(name))
    })
  })
}
