import type { ConformanceContext } from '../../../src/conformance/index.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { type RecordedFiles, withRecords } from '../../../src/records/index.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { forwardEngine } from '../forward-engine.ts'
import type { StoreContext } from './context-of.ts'

interface Scope {
  readonly store: StorageProvider
  readonly tenant: string
}

let tenants = 0

/**
 * The kit over `withRecords`, with another context's store below: each case is a tenant of its own in one database.
 * `engine` is asked for when the first case runs; `around` puts a layer around the records.
 */
export function recordsContext(
  inner: StoreContext,
  name: string,
  engine: () => Engine,
  around: (files: RecordedFiles) => RecordedFiles = same => same,
): StoreContext {
  const { context } = inner
  const scopes = new Map<StorageProvider, Scope>()
  // Whoever closes one file set must not close what the next case uses.
  const shared = () => forwardEngine(engine(), { close: async () => {} })
  const make = (store: StorageProvider, tenant = `c${process.pid}x${++tenants}`) => {
    const files = around(
      withRecords(store, shared(), {
        tenant,
        replaceGraceMs: 0,
        env: {},
        ...(context.now === undefined ? {} : { now: context.now }),
      }),
    )
    scopes.set(files, { store, tenant })
    return files
  }
  const storeOf = (files: StorageProvider) => scopes.get(files)!.store
  const { fetch, advance, another, createFull, createCut, leftovers } = context
  const changed: Partial<ConformanceContext> = {
    name: `records over ${context.name} and ${name}`,
    // Each call costs some batches more than without: on a cluster, with a disk, some milliseconds each.
    caseTimeoutMs: 120_000,
    create: async options => make(await context.create(options)),
    finalize: (files, _key, { uploadId }) => (files as RecordedFiles).finalize(uploadId!),
    ...(fetch && { fetch: (url, init, files) => fetch(url, init, storeOf(files)) }),
    ...(advance && { advance: (ms, files) => advance(ms, storeOf(files)) }),
    ...(another && {
      another: async files => make(await another(storeOf(files)), scopes.get(files)!.tenant),
    }),
    ...(createFull && { createFull: async () => make(await createFull()) }),
    ...(createCut && {
      async createCut(key, bytes) {
        const store = await context.create()
        const whole = make(store)
        await whole.upload(key, bytes)
        return make(await createCut(`cut-${tenants}`, bytes), scopes.get(whole)!.tenant)
      },
    }),
    ...(leftovers && {
      async leftovers(files, keys) {
        // What was given up stands in the journal under its physical key.
        const jobs = await (files as RecordedFiles).jobs()
        const physical = jobs.filter(job => keys.includes(job.key)).map(job => job.physical)
        return leftovers(storeOf(files), physical)
      },
    }),
  }
  // Reading asks the database, which knows no bucket.
  const { createMissingBucket: _, writer: __, ...kept } = context
  return { ...inner, context: { ...kept, ...changed } as ConformanceContext }
}
