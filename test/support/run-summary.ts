/** Ends a test run by saying what ran against what, and in one line each what could not run or passed at its second try. */
import { relative } from 'node:path'
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node'
import { findTool } from './tools.ts'

const REASON_IN_TITLE = /\[skipped: (.*)\]$/

export default class RunSummary implements Reporter {
  #vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const { s3Servers = [], postgres } = this.#vitest?.getRootProject().getProvidedContext() ?? {}
    const here: string[] = s3Servers.flatMap(server => ('missing' in server ? [] : [server.name]))
    if (postgres !== undefined && !('missing' in postgres)) here.push(`PostgreSQL ${postgres.version}`)
    if (findTool('redis-server')) here.push('redis-server')
    const supabase = process.env.STOWAGE_TEST_SUPABASE_URL
      ? 'a real Supabase'
      : "the stand-in for Supabase's storage server"
    const rqlite = findTool('rqlited') ? 'a real cluster of rqlite' : 'the stand-in for rqlite'
    const imgproxy = process.env.STOWAGE_TEST_IMGPROXY_URL ? 'a real imgproxy' : "imgproxy's recorded answers"
    const all = [...here, supabase, rqlite, imgproxy]
    console.log(`Ran on Node ${process.versions.node} against ${all.join(', ')}.`)
    for (const [reason, tests] of skippedTests(modules)) {
      const count = tests.length === 1 ? '1 test' : `${tests.length} tests`
      console.log(`not run: ${count}: ${reason}`)
    }
    for (const test of secondTries(modules)) console.log(test)
    for (const error of unhandled) console.log(toldUnhandled(error))
    const unexplained = skippedTests(modules).get(NO_REASON) ?? []
    if (unexplained.length === 0 || this.#isFiltered()) return
    for (const title of unexplained) console.error(`skipped without a reason: ${title}`)
    process.exitCode = 1
  }

  /** With `-t`, what the filter leaves out counts as skipped. */
  #isFiltered(): boolean {
    return this.#vitest?.getGlobalTestNamePattern() !== undefined
  }
}

/** Tests that failed and then passed, each with the first line of what went wrong. */
function secondTries(modules: readonly TestModule[]): string[] {
  return modules.flatMap(module =>
    [...module.children.allTests('passed')]
      .filter(test => test.diagnostic()?.flaky)
      .map(test => {
        const [first] = test.result().errors ?? []
        const why = (first?.message ?? '').split('\n', 1)[0]
        return `passed at the second try only: ${module.relativeModuleId}: ${test.fullName}\n    ${why}`
      }),
  )
}

/** An error that no test has caught fails the run without failing a test, so what is known of its origin is told here. */
function toldUnhandled(error: SerializedError): string {
  const file = typeof error.VITEST_TEST_PATH === 'string' ? relative('.', error.VITEST_TEST_PATH) : 'no file'
  const test = typeof error.VITEST_TEST_NAME === 'string' ? `: ${error.VITEST_TEST_NAME}` : ''
  const stack = (error.stack ?? error.message).split('\n').slice(0, 6)
  return [`not caught by any test, while ${file}${test} ran:`, ...stack].join('\n    ')
}

const NO_REASON = 'no reason is given'

function skippedTests(modules: readonly TestModule[]): Map<string, string[]> {
  const byReason = new Map<string, string[]>()
  for (const module of modules) {
    for (const test of module.children.allTests('skipped')) {
      const reason = reasonOf(test)
      byReason.set(reason, [...(byReason.get(reason) ?? []), test.fullName])
    }
  }
  return byReason
}

function reasonOf(test: TestCase): string {
  const result = test.result()
  const note = result.state === 'skipped' ? result.note : undefined
  return note ?? REASON_IN_TITLE.exec(test.name)?.[1] ?? NO_REASON
}
