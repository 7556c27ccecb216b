import { invalidArgument } from '../../core/errors.ts'
import type { Engine, Statement } from '../../sql/engine.ts'
import type {
  Manifest,
  ManifestCounts,
  ManifestRow,
  ObjectState,
  RowRange,
  VerifyStatus,
  Workload,
} from '../manifest.ts'
import { migrationNumber, OBJECTS, SETTINGS } from './manifest-tables.ts'
import { rowsFrom, wholeRow } from './row-columns.ts'
import { rowPages, rowPagesByDestination, rowsWhere } from './row-pages.ts'
import { RowWriter } from './row-writer.ts'
import { sendAgain } from './send-again.ts'

export interface ManifestOptions {
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number
}

/**
 * One migration's rows in a database, which is prepared for it where it is new. Any number of processes may have it open.
 * The engine stays open: who made it closes it.
 *
 * @param name tells the migrations of one database apart
 * @throws `unsupported` where a newer release of the library has made the tables
 *
 * @example
 * ```ts
 * const manifest = await openManifest(sqlite({ path: 'migration.db' }), 'avatars')
 * for await (const row of manifest.rows({ states: ['failed'] })) console.log(row.sourceKey, row.errorMessage)
 * ```
 */
export async function openManifest(
  engine: Engine,
  name: string,
  { now = Date.now }: ManifestOptions = {},
): Promise<Manifest> {
  if (typeof name !== 'string' || !/^[\w.-]{1,100}$/.test(name))
    throw invalidArgument(
      'migrate',
      engine.name,
      'the name of a migration is 1 to 100 letters, digits, . _ or -',
    )
  const migration = await migrationNumber(engine, name, now())
  return new SqlManifest(engine, name, migration)
}

class SqlManifest implements Manifest {
  readonly name: string
  readonly #engine: Engine
  readonly #migration: bigint
  readonly #writer: RowWriter

  constructor(engine: Engine, name: string, migration: bigint) {
    this.name = name
    this.#engine = engine
    this.#migration = migration
    this.#writer = new RowWriter(engine, migration)
  }

  async setting(name: string): Promise<string | undefined> {
    const [row] = await this.#engine.query(
      [`SELECT value FROM ${SETTINGS} WHERE migration = ? AND name = ?`, this.#migration, name],
      { consistency: 'linearizable' },
    )
    return row?.value as string | undefined
  }

  async setSetting(name: string, value: string): Promise<void> {
    await sendAgain(this.#engine, [
      [
        `INSERT INTO ${SETTINGS} (migration, name, value) VALUES (?, ?, ?) ON CONFLICT (migration, name) DO UPDATE SET value = excluded.value`,
        this.#migration,
        name,
        value,
      ],
    ])
  }

  rows: Manifest['rows'] = options => eachOf(this.rowPages(options))

  rowPages: Manifest['rowPages'] = options => rowPages(this.#engine, this.#migration, options)

  rowPagesByDestination: Manifest['rowPagesByDestination'] = options =>
    rowPagesByDestination(this.#engine, this.#migration, options)

  rowsByDestination: Manifest['rowsByDestination'] = options => eachOf(this.rowPagesByDestination(options))

  async row(sourceKey: string): Promise<ManifestRow | undefined> {
    const found = await this.#engine.query([
      `SELECT ${wholeRow(this.#engine)} FROM ${OBJECTS} WHERE migration = ? AND source_key = ?`,
      this.#migration,
      sourceKey,
    ])
    return rowsFrom(found)[0]
  }

  write: Manifest['write'] = changes => this.#writer.write(changes)

  async counts(range: RowRange = {}): Promise<ManifestCounts> {
    const [where, ...parameters] = rowsWhere(this.#migration, range)
    const { integer } = this.#engine.types
    const found = await this.#engine.query([
      `SELECT state, status, COUNT(*) AS objects, CAST(SUM(size) AS ${integer}) AS bytes FROM ${OBJECTS} WHERE ${where} GROUP BY state, status`,
      ...parameters,
    ])
    const byState = emptyCounts(['planned', 'copied', 'failed', 'refused', 'gone'])
    const byStatus = emptyCounts([
      'match',
      'differ',
      'missing-source',
      'missing-destination',
      'error',
      'unverified',
    ])
    for (const { state, status, objects, bytes } of found) {
      add(byState[state as ObjectState], objects, bytes)
      if (state !== 'gone') add(byStatus[status as VerifyStatus], objects, bytes)
    }
    return { byState, byStatus }
  }

  async workload(parts: Parameters<Manifest['workload']>[0]): Promise<Workload> {
    const [row] = await this.#engine.query(workloadStatement(this.#migration, this.#engine.types, parts))
    const { objects, bytes, requests } = row!
    return { objects: Number(objects), bytes: Number(bytes), requests: Number(requests) }
  }
}

/** Sums are cast: PostgreSQL makes decimals of them. */
function workloadStatement(
  migration: bigint,
  { integer }: Engine['types'],
  { largeObjectBytes, partBytes }: { largeObjectBytes: number; partBytes: number },
): Statement {
  const [where, ...parameters] = rowsWhere(migration, { states: ['planned', 'failed'] })
  const [large, part] = [BigInt(largeObjectBytes), BigInt(partBytes)]
  return [
    `SELECT COUNT(*) AS objects, CAST(COALESCE(SUM(size), 0) AS ${integer}) AS bytes, CAST(COALESCE(SUM(CASE WHEN size >= CAST(? AS ${integer}) THEN (size + CAST(? AS ${integer}) - 1) / CAST(? AS ${integer}) ELSE 1 END), 0) AS ${integer}) AS requests FROM ${OBJECTS} WHERE ${where}`,
    large,
    part,
    part,
    ...parameters,
  ]
}

async function* eachOf<Item>(pages: AsyncIterable<readonly Item[]>): AsyncGenerator<Item> {
  for await (const page of pages) yield* page
}

type Count = { objects: number; bytes: number }

function emptyCounts<Name extends string>(names: readonly Name[]): Record<Name, Count> {
  return Object.fromEntries(names.map(name => [name, { objects: 0, bytes: 0 }])) as Record<Name, Count>
}

function add(count: Count, objects: unknown, bytes: unknown): void {
  count.objects += Number(objects)
  count.bytes += Number(bytes)
}
