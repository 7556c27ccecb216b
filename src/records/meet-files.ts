/**
 * Objects that were below the root before records were kept become files when they are first met. Where nothing is known of a key, the
 * store is asked before it is said that there is no file; whoever writes or deletes asks first, so that the old object goes with the
 * file over it, and never comes back under its name.
 */
import { keyProblem } from '../core/keys.ts'
import {
  type Engine,
  HELD,
  type JoinedTransaction,
  type QueryOptions,
  type Statement,
} from '../sql/engine.ts'
import { adoptBatch } from './adopt-batch.ts'
import { RESERVED, uploadOf } from './physical-key.ts'
import type { FileRecord } from './record.ts'
import type { RecordSet } from './record-set.ts'
import { tenantTable } from './tenant-id.ts'

const BATCH = 200
/** The row of a record set whose unrecorded objects become files as they are met: its value is where it meets them. */
const SETTING = 'adopt_met'
/** The value of rows that were written before they said where. */
const SOMEWHERE = '1'

/** Whether this record set meets objects: as the option says, else as it said when it was last given, by whichever process. */
export async function readAdoptMet(set: RecordSet): Promise<boolean> {
  const { engine, tenant, provider, newId } = set
  const { adoptMet } = set.options
  const table = tenantTable(tenant, 'settings')
  const [row] = await engine.query([`SELECT value FROM ${table} WHERE name = ?`, SETTING])
  const changes: Statement[] = []
  // Who does not give the option may be a tool over a copy of the store.
  if (adoptMet === true && row?.value !== provider.location)
    changes.push([
      `INSERT INTO ${table} (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      SETTING,
      provider.location,
    ])
  if (adoptMet === false && row !== undefined) changes.push([`DELETE FROM ${table} WHERE name = ?`, SETTING])
  if (changes.length > 0) await engine.batch(changes, { id: `${newId()}:adopt-met`, durable: true })
  return adoptMet ?? row !== undefined
}

/** The location at which the option was last given; undefined where the record set meets nothing, or that is not known. */
export async function metLocation(engine: Engine, tenant: string): Promise<string | undefined> {
  const [row] = await engine.query(
    [`SELECT value FROM ${tenantTable(tenant, 'settings')} WHERE name = ?`, SETTING],
    { consistency: 'linearizable' },
  )
  return row === undefined || row.value === SOMEWHERE ? undefined : String(row.value)
}

/** For who has moved the bytes to the store of this set: where it meets objects, that is there from now on. */
export async function moveMet(set: RecordSet): Promise<void> {
  const where = set.provider.location
  await set.write([[`UPDATE ${set.table('settings')} SET value = ? WHERE name = ?`, where, SETTING]], {
    durable: true,
  })
}

export interface MeetOptions {
  readonly signal?: AbortSignal | undefined
  readonly joined?: JoinedTransaction | undefined
}

/**
 * Makes files of the objects that these keys name and that have no record. How many there were; undefined where that is not done here.
 *
 * @throws what the store throws: whether there is such a file is not known then
 */
export async function meetFiles(
  set: RecordSet,
  keys: readonly string[],
  { signal, joined }: MeetOptions = {},
): Promise<number | undefined> {
  await set.ready()
  if (!set.adoptsMet) return undefined
  const root = await set.root()
  const physicals = [...new Set(keys)].filter(key => isMeetable(set, root, key)).map(key => root + key)
  let count = 0
  for (let at = 0; at < physicals.length; at += BATCH)
    count += (await adoptBatch(set, root, physicals.slice(at, at + BATCH), { signal, joined })).adopted
  return count
}

/** What is ours by its form is the audit's business, and what the store can't hold is not there. */
function isMeetable({ provider }: RecordSet, root: string, key: string): boolean {
  const isOurs = key.startsWith(RESERVED) || uploadOf(key) !== undefined
  return !isOurs && keyProblem(root + key, provider.capabilities.keys) === undefined
}

/** The live record of a key; the object under it is met where there is none. */
export async function metRecord(
  set: RecordSet,
  key: string,
  options: QueryOptions = {},
  joined?: JoinedTransaction,
): Promise<FileRecord | undefined> {
  const record = await set.record(key, options, joined)
  if (record !== undefined) return record
  if ((await meetFiles(set, [key], { signal: options.signal, joined })) === undefined) return undefined
  return set.record(key, { ...options, consistency: 'linearizable' }, joined)
}

/** The same of some hundreds. */
export async function metRecords(
  set: RecordSet,
  keys: readonly string[],
  options: QueryOptions = {},
): Promise<Map<string, FileRecord>> {
  const records = await set.records(keys, options)
  const unknown = keys.filter(key => !records.has(key))
  if (unknown.length === 0) return records
  if ((await meetFiles(set, unknown, { signal: options.signal })) === undefined) return records
  const met = await set.records(unknown, { ...options, consistency: 'linearizable' })
  return new Map([...records, ...met])
}

/** The statements that retire keys in a batch, for the files that a condition selects. */
export type Retires = (where: Statement, now: number, batch: string) => Statement[]

/**
 * For who takes records away: retires the keys that files had and their bytes had not. An object that nobody has met below such a file is
 * older, and must not take its place.
 */
export async function retiresUnmet(set: RecordSet): Promise<Retires> {
  const root = await set.root()
  if (!set.adoptsMet) return () => []
  return ([where, ...parameters], now, batch) => [
    [
      `INSERT INTO ${set.table('retired')} (physical, at) SELECT ? || key, ? FROM ${set.table('files')} WHERE ${where} AND physical <> ? || key AND ${HELD} ON CONFLICT (physical) DO NOTHING`,
      root,
      BigInt(now),
      ...parameters,
      root,
      batch,
    ],
  ]
}
