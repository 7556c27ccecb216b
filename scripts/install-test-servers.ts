/**
 * Builds the test servers that are absent, with `go install`, into the cache outside the checkout.
 *
 * Why: `npm test` would do it too, but a CI log should show the minutes it takes as a step of their own.
 */
import { findOrInstallTool } from '../test/support/install-tool.ts'
import { missingTool } from '../test/support/tools.ts'

for (const name of ['minio', 'versitygw'] as const) {
  const path = await findOrInstallTool(name, line => console.log(line))
  console.log(path ? `${name}: ${path}` : missingTool(name))
  if (!path) process.exitCode = 1
}
