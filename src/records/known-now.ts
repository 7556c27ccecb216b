/** What the database says now, linearizably, of keys that did not match. */
import type { SqlValue } from '../sql/engine.ts'
import { type AuditedRecord, auditedRecord, RECORD_SELECT, TRASH_SELECT } from './known-keys.ts'
import { placeholders, type RecordSet } from './record-set.ts'

const NOW = { consistency: 'linearizable' } as const

/** Those of some hundred physical keys that no record, no job and no restorable file refers to. */
export async function unknownOf(set: RecordSet, physicals: readonly string[]): Promise<Set<string>> {
  const unknown = new Set(physicals)
  if (physicals.length === 0) return unknown
  const marks = placeholders(physicals)
  // The copy in quarantine is named by the job that makes it, before it has a row of its own.
  const ids = physicals.map(physical => physical.slice(physical.lastIndexOf('/') + 1))
  const rows = await set.query(
    [
      `SELECT physical FROM ${set.table('files')} WHERE physical IN (${marks}) UNION ALL SELECT physical FROM ${set.table('journal')} WHERE physical IN (${marks}) UNION ALL SELECT trashed FROM ${set.table('trash')} WHERE trashed IN (${marks})`,
      ...physicals,
      ...physicals,
      ...physicals,
    ],
    NOW,
  )
  const jobs = await set.query(
    [`SELECT id FROM ${set.table('journal')} WHERE kind = 'orphan' AND id IN (${marks})`, ...ids],
    NOW,
  )
  for (const row of rows) unknown.delete(String(row.physical))
  for (const row of jobs) {
    const name = `/${String(row.id)}`
    for (const physical of physicals) if (physical.endsWith(name)) unknown.delete(physical)
  }
  return unknown
}

/** Those records that refer to the same bytes now, and that readers see or can restore. */
export async function stillRecorded(
  set: RecordSet,
  records: readonly AuditedRecord[],
): Promise<AuditedRecord[]> {
  const ask = async (select: string, column: string, some: readonly AuditedRecord[], condition: string) => {
    if (some.length === 0) return []
    const values: SqlValue[] = some.map(({ physical }) => physical)
    const rows = await set.query(
      [`${select} WHERE ${column} IN (${placeholders(values)}) AND ${condition}`, ...values],
      NOW,
    )
    return rows.map(auditedRecord)
  }
  const trash = records.filter(({ state }) => state === 'trash')
  const files = records.filter(({ state }) => state !== 'trash')
  return [
    ...(await ask(RECORD_SELECT(set.table('files')), 'physical', files, "state = 'live'")),
    ...(await ask(TRASH_SELECT(set.table('trash')), 'trashed', trash, 'ready = 1')),
  ]
}

/** Those hidden records that no job will ever end. */
export async function hiddenWithoutJob(
  set: RecordSet,
  physicals: readonly string[],
): Promise<{ key: string; physical: string }[]> {
  if (physicals.length === 0) return []
  const files = set.table('files')
  const rows = await set.query(
    [
      `SELECT key, physical FROM ${files} WHERE state = 'deleting' AND physical IN (${placeholders(physicals)}) AND NOT EXISTS (SELECT 1 FROM ${set.table('journal')} AS job WHERE job.physical = ${files}.physical)`,
      ...physicals,
    ],
    NOW,
  )
  return rows.map(row => ({ key: String(row.key), physical: String(row.physical) }))
}
