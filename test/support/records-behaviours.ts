import { beforeAll, it } from 'vitest'
import { recordsConformance } from '../../src/conformance/index.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { withRecords } from '../../src/records/index.ts'
import type { Engine } from '../../src/sql/engine.ts'

export interface RecordsUnderTest {
  readonly engine: Engine
  /** A store of its own for a case. */
  store(): Promise<StorageProvider>
}

const CASE_TIMEOUT_MS = 60_000

/**
 * Declares what a provider with records owes beyond the contract, on one engine and one store. The exhaustive proofs
 * stand in test/records; these show that each engine keeps what they rely on.
 */
export function recordsBehaviours(name: string, open: () => Promise<RecordsUnderTest>): void {
  let under: RecordsUnderTest
  beforeAll(async () => {
    under = await open()
  })
  const tests = recordsConformance({
    name,
    withRecords,
    engine: () => under.engine,
    store: () => under.store(),
    caseTimeoutMs: CASE_TIMEOUT_MS,
  })
  for (const test of tests) it(test.title, test.run, CASE_TIMEOUT_MS + 10_000)
}
