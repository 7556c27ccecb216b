import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { RecordedFiles } from '../../records/recorded-files.ts'
import type { RecordsOptions } from '../../records/records-options.ts'
import type { Engine } from '../../sql/engine.ts'
import type { RecordsScope } from './records-scope.ts'

/** What the kit needs from whoever tests an engine or a store with records. */
export interface RecordsConformanceContext {
  /** For messages: `records over memory and SQLite`. */
  name: string
  /** `withRecords` of `stowage/records`: what is tested. */
  withRecords(provider: StorageProvider, engine: Engine, options?: RecordsOptions): RecordedFiles
  /**
   * The database. Called once a case, and may be the same each time: every case has tenants of its own. It stays open,
   * and its tables stay there.
   */
  engine(): Engine | Promise<Engine>
  /**
   * A store. Called several times a case, and may be the same each time: what a case stores begins with its tenant's
   * name. It stays open, and what was stored stays there.
   */
  store(): StorageProvider | Promise<StorageProvider>
  /** Milliseconds after which a case has failed. Default: 60,000. */
  caseTimeoutMs?: number
}

/** One behaviour of records. Data, so that any test runner can run it. */
export interface RecordsCase {
  /** Stable: `records/lost-answer`. */
  readonly id: string
  /** The behaviour as a sentence in the present. */
  readonly title: string
  /** Numbers of the behaviours in the project's list that this case checks. */
  readonly covers: readonly number[]
  run(scope: RecordsScope): Promise<void>
}

/** @throws `invalid-argument` for a field that is unknown, of the wrong kind or missing */
export function assertRecordsContext(context: RecordsConformanceContext): void {
  assertFactoryOptions('recordsConformance', context, {
    name: 'string',
    withRecords: 'function',
    engine: 'function',
    store: 'function',
    caseTimeoutMs: 'number',
  })
  const { name, withRecords, engine, store, caseTimeoutMs = 1 } = context
  if ([name, withRecords, engine, store].includes(undefined as never))
    throw refuse('needs name, withRecords, engine and store')
  if (!(caseTimeoutMs > 0)) throw refuse('caseTimeoutMs must be above zero')
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `recordsConformance: ${problem}`)
}
