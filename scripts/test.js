/**
 * `npm test`: builds, checks the import rules, runs every test, and ends with one line of counts.
 *
 * Why: a newcomer runs one command, and a machine reads its last line. Arguments go to vitest. With
 * STOWAGE_TEST_REQUIRE=all a missing test server fails the run; with STOWAGE_TEST_BUILT=1 nothing is built. See
 * CONTRIBUTING.md for the other variables.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { checkImports } from './check-imports.js'

const root = resolve(import.meta.dirname, '..')
// Written by vitest at its end only, so that Ctrl-C leaves nothing behind.
const resultFile = join(tmpdir(), `stowage-test-${process.pid}.json`)

const isBuilt = build()
const rulesHold = importRulesHold()
const ended = runVitest()
const { passed, skipped, ...rest } = countResults()
// A run that broke down without a failed test has still failed.
const failed = Math.max(rest.failed, isBuilt && rulesHold && ended ? 0 : 1)
for (const name of rest.names) console.log(`failed: ${name}`)
if (skipped > 0) console.log(`${skipped} skipped, for the reasons above`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function build() {
  if (process.env.STOWAGE_TEST_BUILT === '1') return true
  return runNode('node_modules/tsup/dist/cli-default.js', ['--silent'])
}

function importRulesHold() {
  const { files, problems } = checkImports(root)
  for (const problem of problems) console.error(problem)
  if (problems.length === 0) console.log(`import rules hold in ${files} files`)
  return problems.length === 0
}

function runVitest() {
  return runNode('node_modules/vitest/vitest.mjs', [
    'run',
    '--reporter=default',
    '--reporter=./test/support/run-summary.ts',
    '--reporter=json',
    `--outputFile.json=${resultFile}`,
    ...process.argv.slice(2),
  ])
}

function runNode(script, args) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    // The package tests then take dist/ as it is.
    env: { ...process.env, STOWAGE_TEST_BUILT: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return status === 0
}

/** A file that could not be loaded has no tests, so it counts as one failure. */
function countResults() {
  try {
    const result = JSON.parse(readFileSync(resultFile, 'utf8'))
    const broken = result.testResults.filter(
      file => file.status === 'failed' && !file.assertionResults.some(one => one.status === 'failed'),
    )
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + broken.length,
      names: [...result.testResults.flatMap(failuresOf), ...broken.map(file => pathOf(file))],
      skipped: result.numPendingTests + result.numTodoTests,
    }
  } catch {
    return { passed: 0, failed: 1, skipped: 0, names: [] }
  } finally {
    rmSync(resultFile, { force: true })
  }
}

/** Named once more at the end, since whoever reads a log of ten thousand tests begins there. */
function failuresOf(file) {
  return file.assertionResults
    .filter(one => one.status === 'failed')
    .map(one => `${pathOf(file)}: ${one.fullName}\n    ${(one.failureMessages[0] ?? '').split('\n', 1)[0]}`)
}

function pathOf(file) {
  return relative(root, file.name)
}
