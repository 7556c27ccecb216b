import { memory } from '../../../src/adapters/memory.ts'
import type { RecordsConformanceContext } from '../../../src/conformance/index.ts'
import { forwardEngine } from '../../../src/conformance/records/forward-engine.ts'
import { listingOf } from '../../../src/core/listing.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { type RecordedFiles, withRecords } from '../../../src/records/index.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

/** Files with records that are broken in one way, and the cases that must notice. */
export interface RecordsMutant {
  readonly title: string
  readonly caughtBy: readonly string[]
  readonly context: RecordsConformanceContext
}

/** Records over memory and SQLite, in which everything is as it should be. */
export function soundRecords(): RecordsConformanceContext {
  const engine = sqlite({ path: ':memory:' })
  return { name: 'records', withRecords, engine: () => engine, store: () => memory(), caseTimeoutMs: 20_000 }
}

type WithRecords = RecordsConformanceContext['withRecords']

function broken(title: string, caughtBy: readonly string[], wrong: WithRecords): RecordsMutant {
  return { title, caughtBy, context: { ...soundRecords(), withRecords: wrong } }
}

function brokenEngine(
  title: string,
  caughtBy: readonly string[],
  changes: (engine: Engine) => Partial<Engine>,
): RecordsMutant {
  const engine = sqlite({ path: ':memory:' })
  const wrong = forwardEngine(engine, changes(engine))
  return { title, caughtBy, context: { ...soundRecords(), engine: () => wrong } }
}

/** Sound files with some of their methods replaced by wrong ones. */
function withWrong(
  changes: (files: RecordedFiles, store: StorageProvider) => Partial<RecordedFiles>,
): WithRecords {
  return (store, engine, options) => {
    const files = withRecords(store, engine, options)
    return { ...files, ...changes(files, store) }
  }
}

const CRASHES = ['upload', 'replace', 'delete', 'delete-many', 'copy', 'move'].map(
  act => `records/crash-${act}`,
)

export const RECORDS_MUTANTS: readonly RecordsMutant[] = [
  brokenEngine('forgets the ids of operations', ['records/lost-answer'], engine => ({
    async batch(statements, options) {
      const result = await engine.batch(statements, options)
      if (options?.id !== undefined)
        await engine.batch([['DELETE FROM stowage_operations WHERE id = ?', options.id]])
      return result
    },
  })),
  broken(
    'does nothing to recover',
    CRASHES,
    withWrong(() => ({ recover: async () => ({}) as never })),
  ),
  broken(
    'takes the bytes of the next upload along when it deletes',
    ['records/delete-against-upload'],
    withWrong((files, store) => ({
      async delete(key, options) {
        const deletion = await files.delete(key, options)
        if (await files.exists(key)) await store.delete(await files.physicalKey(key))
        return deletion
      },
    })),
  ),
  broken(
    'audits without looking at sizes',
    ['records/audit'],
    withWrong(files => ({
      async audit(options) {
        const report = await files.audit(options)
        return { ...report, findings: report.findings.filter(({ kind }) => kind !== 'size-differs') }
      },
    })),
  ),
  broken(
    'takes a list that failed for one that ended',
    ['records/collect-list-error'],
    (store, engine, options) =>
      withRecords(forward(store, { list: given => endingQuietly(store.list(given)) }), engine, options),
  ),
  broken(
    'takes a tenant for the one whose name it begins with',
    ['records/tenants'],
    (store, engine, options) =>
      withRecords(store, engine, { ...options, tenant: options!.tenant!.replace(/_.*$/, '') }),
  ),
  brokenEngine('refuses tables that are newer', ['records/newer-schema'], engine => ({
    async batch(statements, options) {
      if (options?.id !== undefined) {
        const [row] = await engine.query(['SELECT MAX(version) AS version FROM stowage_upgrades'])
        if (Number(row?.version) > 1) throw new Error('these tables are newer than this process')
      }
      return engine.batch(statements, options)
    },
  })),
]

function endingQuietly(list: ReturnType<StorageProvider['list']>): ReturnType<StorageProvider['list']> {
  return listingOf({
    page: options => list.page(options),
    async *pages() {
      try {
        yield* list.pages()
      } catch {
        // What was not listed is taken for missing: that is the mistake.
      }
    },
  })
}
