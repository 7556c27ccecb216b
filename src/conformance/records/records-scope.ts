import { randomUUID } from 'node:crypto'
import type { StorageProvider } from '../../core/provider.ts'
import type { RecordedFiles } from '../../records/recorded-files.ts'
import type { RecordsOptions } from '../../records/records-options.ts'
import type { Engine } from '../../sql/engine.ts'
import type { RecordsConformanceContext } from './records-conformance-context.ts'

/** What one case works in: a database, and as many tenants as it asks for, whose names were never used before. */
export class RecordsScope {
  readonly context: RecordsConformanceContext
  readonly engine: Engine

  private constructor(context: RecordsConformanceContext, engine: Engine) {
    this.context = context
    this.engine = engine
  }

  static async open(context: RecordsConformanceContext): Promise<RecordsScope> {
    return new RecordsScope(context, await context.engine())
  }

  /** A tenant that has nothing yet, over a store. */
  async place(options: RecordsOptions = {}): Promise<Place> {
    return new Place(this, await this.context.store(), options)
  }
}

/** One tenant over one store, for as many processes as a case has. */
export class Place {
  readonly store: StorageProvider
  readonly tenant = newTenant()
  readonly #scope: RecordsScope
  readonly #options: RecordsOptions
  #processes = 0

  constructor(scope: RecordsScope, store: StorageProvider, options: RecordsOptions) {
    this.#scope = scope
    this.store = store
    this.#options = options
  }

  /** Another process; what it finds in its way to store and database may be told by `through`. */
  process(
    options: RecordsOptions = {},
    through: { store?: StorageProvider; engine?: Engine } = {},
  ): RecordedFiles {
    const { context, engine } = this.#scope
    return context.withRecords(through.store ?? this.store, through.engine ?? engine, {
      tenant: this.tenant,
      env: {},
      // Nothing is kept and nothing is waited for: what is owed is due at once.
      replaceGraceMs: 0,
      lateMs: 0,
      patienceMs: 0,
      backoffMs: { first: 0, most: 0 },
      ...this.#options,
      owner: `process ${++this.#processes}`,
      ...options,
    })
  }

  /** Objects of the tenant that no file has. */
  async strays(files: RecordedFiles): Promise<string[]> {
    const owned = new Set<string>()
    for await (const entry of files.list())
      if (entry.kind === 'object') owned.add(await files.physicalKey(entry.key))
    const strange: string[] = []
    for await (const entry of this.store.list({ prefix: `${this.tenant}/` }))
      if (entry.kind === 'object' && !owned.has(entry.key) && !entry.key.endsWith('record-set.json'))
        strange.push(entry.key)
    return strange
  }
}

export function newTenant(): string {
  return `kit${randomUUID().replaceAll('-', '').slice(0, 12)}`
}

/** All files with their text, by key. */
export async function contents(files: RecordedFiles): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const entry of files.list())
    if (entry.kind === 'object') found[entry.key] = await textOf(files, entry.key)
  return found
}

export async function textOf(files: RecordedFiles, key: string): Promise<string> {
  return (await files.download(key)).text()
}
