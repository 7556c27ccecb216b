/**
 * Builds the test servers that are absent, with `go install`, and better-sqlite3, with node-gyp, into the cache outside
 * the checkout.
 *
 * Why: `npm test` would do it too, but a CI log should show the minutes it takes as a step of their own.
 */
import { findOrBuildBetterSqlite3 } from '../test/support/better-sqlite3.ts'
import { findOrInstallTool } from '../test/support/install-tool.ts'
import { missingTool } from '../test/support/tools.ts'

for (const name of ['minio', 'versitygw', 'rclone'] as const) {
  const path = await findOrInstallTool(name, line => console.log(line))
  console.log(path ? `${name}: ${path}` : missingTool(name))
  if (!path) process.exitCode = 1
}

const better = await findOrBuildBetterSqlite3(line => console.log(line))
console.log('missing' in better ? better.missing : 'better-sqlite3: built')
if ('missing' in better) process.exitCode = 1
