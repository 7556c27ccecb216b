import { StorageError } from '../../core/errors.ts'
import type { Engine, Statement } from '../../sql/engine.ts'
import { COLUMNS } from './row-columns.ts'
import { sendAgain } from './send-again.ts'

export const OBJECTS = 'stowage_migration_objects'
export const MIGRATIONS = 'stowage_migrations'
export const SETTINGS = 'stowage_migration_settings'

/** Of the tables. A change of them raises it and adds its statements. */
const VERSION = '1'

/** The migrations of a database share three tables. What all of them share is a setting of the migration 0, which there is not. */
function tables({ types }: Engine, at: number): Statement[] {
  const { text, integer } = types
  const required = new Set([
    'source_key',
    'destination_key',
    'state',
    'size',
    'attempts',
    'status',
    'revision',
  ])
  const columns = Object.values(COLUMNS).map(
    ({ name, kind }) => `${name} ${kind === 'text' ? text : integer}${required.has(name) ? ' NOT NULL' : ''}`,
  )
  return [
    [
      `CREATE TABLE IF NOT EXISTS ${MIGRATIONS} (id ${integer} PRIMARY KEY, name ${text} NOT NULL UNIQUE, created_at ${integer} NOT NULL)`,
    ],
    [
      `CREATE TABLE IF NOT EXISTS ${SETTINGS} (migration ${integer} NOT NULL, name ${text} NOT NULL, value ${text} NOT NULL, PRIMARY KEY (migration, name))`,
    ],
    [
      `CREATE TABLE IF NOT EXISTS ${OBJECTS} (migration ${integer} NOT NULL, ${columns.join(', ')}, PRIMARY KEY (migration, source_key))`,
    ],
    [
      `CREATE INDEX IF NOT EXISTS ${OBJECTS}_destination ON ${OBJECTS} (migration, destination_key, source_key)`,
    ],
    [
      `CREATE INDEX IF NOT EXISTS ${OBJECTS}_place ON ${OBJECTS} (migration, place, source_key) WHERE place IS NOT NULL`,
    ],
    // Small once most is copied: what is left to do is found without passing over what is done.
    [
      `CREATE INDEX IF NOT EXISTS ${OBJECTS}_open ON ${OBJECTS} (migration, source_key) WHERE state <> 'copied'`,
    ],
    [
      `INSERT INTO ${SETTINGS} (migration, name, value) SELECT 0, 'version', ? WHERE 1 = 1 ON CONFLICT (migration, name) DO NOTHING`,
      VERSION,
    ],
    [
      `INSERT INTO ${SETTINGS} (migration, name, value) SELECT 0, 'created', ? WHERE 1 = 1 ON CONFLICT (migration, name) DO NOTHING`,
      String(at),
    ],
  ]
}

/**
 * The number of a migration, which is made where there is none. However many processes start at once, its tables and its
 * name are made once.
 *
 * @throws `unsupported` where a newer version of the library has made the tables
 */
export async function migrationNumber(engine: Engine, name: string, at: number): Promise<bigint> {
  const known = await find(engine, name).catch(() => undefined)
  if (known === undefined) await create(engine, name, at)
  const found = known ?? (await find(engine, name))
  if (found === undefined)
    throw new StorageError('internal', 'migrate: the manifest was created and is not there', {
      operation: 'migrate',
    })
  if (found.version !== VERSION)
    throw new StorageError(
      'unsupported',
      `migrate: the manifest is of version ${found.version}, made by a newer release; this one knows ${VERSION}`,
      { operation: 'migrate' },
    )
  return found.id
}

async function find(engine: Engine, name: string): Promise<{ id: bigint; version: string } | undefined> {
  const [row] = await engine.query(
    [
      `SELECT m.id AS id, s.value AS version FROM ${MIGRATIONS} m JOIN ${SETTINGS} s ON s.migration = 0 AND s.name = 'version' WHERE m.name = ?`,
      name,
    ],
    { consistency: 'linearizable' },
  )
  return row === undefined ? undefined : { id: row.id as bigint, version: row.version as string }
}

async function create(engine: Engine, name: string, at: number): Promise<void> {
  const statements: Statement[] = [
    ...tables(engine, at),
    [
      `INSERT INTO ${MIGRATIONS} (id, name, created_at) SELECT COALESCE(MAX(id), 0) + 1, ?, ? FROM ${MIGRATIONS} WHERE 1 = 1 ON CONFLICT (name) DO NOTHING`,
      name,
      BigInt(at),
    ],
  ]
  await sendAgain(engine, statements, ['stowage_migrations'])
}
