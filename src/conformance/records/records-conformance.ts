import type { ConformanceTest } from '../conformance.ts'
import { runNamed } from '../run-named.ts'
import { RECORDS_CASES } from './records-cases.ts'
import { assertRecordsContext, type RecordsConformanceContext } from './records-conformance-context.ts'
import { RecordsScope } from './records-scope.ts'

const CASE_TIMEOUT_MS = 60_000

/**
 * What files with records owe beyond `StorageProvider`, whatever the engine and the store below them, as tests for any
 * runner: nothing half there after a crash, nothing done twice, nothing of another tenant's. None of them is skipped.
 * `conformance` holds the same files to the contract.
 *
 * @throws `invalid-argument` for an unknown field, and one that is missing or of the wrong kind
 *
 * @example
 * ```ts
 * const context = { name: 'records', withRecords, engine: () => engine, store: () => memory() }
 * for (const test of recordsConformance(context)) it(test.title, test.run)
 * ```
 */
export function recordsConformance(context: RecordsConformanceContext): ConformanceTest[] {
  assertRecordsContext(context)
  const { name, caseTimeoutMs = CASE_TIMEOUT_MS } = context
  return RECORDS_CASES.map(item => ({
    id: item.id,
    title: `${item.id}: ${item.title}`,
    covers: item.covers,
    skipped: undefined,
    async run() {
      await runNamed(name, item.id, caseTimeoutMs, async () => item.run(await RecordsScope.open(context)))
      return { status: 'passed' }
    },
  }))
}
