/**
 * A small audit of its own, which shares no code with the library: what the records say, what the store has, and
 * whether the two agree.
 */
import { createHash } from 'node:crypto'
import type { StorageProvider } from '../../../src/core/provider.ts'
import type { Engine, Row } from '../../../src/sql/engine.ts'

export interface Inventory {
  /** Text of each live file, by key. */
  readonly files: Map<string, string>
  /** Where their bytes lie, by key. */
  readonly physical: Map<string, string>
  /** Text of what can be restored, by key. */
  readonly trash: Map<string, string>
  /** Rows of the journal, for messages. */
  readonly journal: readonly Row[]
  /** What must never be, in words. */
  readonly problems: readonly string[]
}

export interface InventoryOptions {
  /** Keys of the bucket that are nobody's: objects that were there before they were adopted. */
  readonly foreign?: readonly string[]
}

export async function takeInventory(
  provider: StorageProvider,
  engine: Engine,
  { foreign = [] }: InventoryOptions = {},
): Promise<Inventory> {
  const all = (table: string) => engine.query([`SELECT * FROM t_default__${table}`]).catch(() => [])
  const [files, trash, journal, metadata] = [
    await all('files'),
    await all('trash'),
    await all('journal'),
    await all('metadata'),
  ]
  const problems: string[] = []
  const objects = new Map<string, string>()
  for await (const entry of provider.list())
    if (entry.kind === 'object') objects.set(entry.key, await (await provider.download(entry.key)).text())

  const live = new Map<string, string>()
  const check = (row: Row, physical: string, what: string): string => {
    const text = objects.get(physical)
    if (text === undefined) problems.push(`${what} ${row.key} has no bytes at ${physical}`)
    else if (Buffer.byteLength(text) !== Number(row.size))
      problems.push(`${what} ${row.key} has ${Buffer.byteLength(text)} bytes, not ${row.size}`)
    else if (row.checksum_algorithm === 'sha256' && sha256(text) !== row.checksum_value)
      problems.push(`${what} ${row.key} has other bytes than recorded`)
    return text ?? ''
  }
  const owed = new Map<unknown, Row>(journal.map(row => [row.physical, row]))
  for (const row of files) {
    if (row.state === 'live') {
      live.set(String(row.key), check(row, String(row.physical), 'the live file'))
      if (owed.get(row.physical)?.state === 'doomed')
        problems.push(`the live file ${row.key} is doomed by a job`)
    } else if (owed.get(row.physical)?.kind !== 'delete')
      problems.push(`the file ${row.key} is hidden and no job will end it`)
  }
  const restorable = new Map<string, string>()
  for (const row of trash)
    if (row.ready === 1n) {
      if (owed.get(row.trashed)?.state === 'doomed') continue
      restorable.set(String(row.key), check(row, String(row.trashed), 'the deleted file'))
    }
  for (const row of trash) {
    const isOwed =
      row.ready === 1n
        ? owed.has(row.trashed)
        : journal.some(job => job.kind === 'delete' && job.generation === row.generation)
    if (!isOwed) problems.push(`the deleted file ${row.key} is in the trash for ever`)
  }
  const referred = new Set<unknown>([
    ...files.map(row => row.physical),
    ...trash.map(row => row.trashed),
    ...journal.map(row => row.physical),
    ...foreign,
  ])
  const isMarker = (key: string) => /\.stowage\/[^/]*$/.test(key)
  // A copy in quarantine is named by the job that makes it, until it has a row of its own.
  const isCopy = (key: string) => journal.some(job => key.endsWith(`.stowage/quarantine/${job.id}`))
  for (const key of objects.keys())
    if (!referred.has(key) && !isMarker(key) && !isCopy(key))
      problems.push(`nothing refers to the object ${key}`)
  const keys = new Set(files.map(row => row.key))
  for (const { key } of metadata) if (!keys.has(key!)) problems.push(`metadata of ${key}, which is no file`)
  const physical = new Map(
    files.filter(row => row.state === 'live').map(row => [String(row.key), String(row.physical)]),
  )
  return { files: live, physical, trash: restorable, journal, problems }
}

/** What must be besides, once everything has been recovered and every grace has passed. */
export function endProblems({ journal, problems }: Inventory): string[] {
  return [
    ...problems,
    ...journal.map(row => `a job is left: ${row.kind} ${row.state} of ${row.physical}, ${row.error}`),
  ]
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
