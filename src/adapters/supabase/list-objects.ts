import type { ListAnswer, ListRequest } from '../../core/driver.ts'
import { compareKeys } from '../../core/keys.ts'
import { entryName } from '../../core/listing.ts'
import type { ListEntry } from '../../core/results.ts'
import { assertBucket, type Bucket } from './bucket.ts'
import { ALLOWED_NAME } from './key-encoding.ts'
import { fieldsOf, infoOfRow, listOf } from './object-info.ts'
import { garbage } from './storage-api.ts'

/** Sorts behind every character that a name can hold: `a/~` is behind all that is in the folder `a/`. */
const BEHIND_ALL = '~'

export async function listObjects(bucket: Bucket, request: ListRequest): Promise<ListAnswer> {
  const answer = await listEntries(bucket, request)
  // A bucket that does not exist lists as empty.
  const nothing = answer.entries.length === 0 && answer.done
  if (nothing && request.startAfter === undefined && request.cursor === undefined)
    await assertBucket(bucket, request.signal)
  return answer
}

async function listEntries(bucket: Bucket, request: ListRequest): Promise<ListAnswer> {
  const { delimiter, startAfter, cursor } = request
  const prefix = bucket.names.prefixOf(request.prefix)
  if (prefix !== '' && !ALLOWED_NAME.test(prefix)) return { entries: [], done: true }
  const position = cursor ?? (startAfter === undefined ? '' : bucket.names.positionOf(startAfter))
  if (delimiter === undefined) return listFlat(bucket, request, prefix, position)
  if (position === '') {
    const whole = await listFolder(bucket, request, prefix)
    if (whole !== undefined) return whole
  }
  return listFolded(bucket, request, prefix, position)
}

interface Page {
  readonly rows: readonly { readonly name: string; readonly row: unknown }[]
  readonly folders: readonly string[]
  readonly hasNext: boolean
}

async function fetchPage(
  { id, api }: Bucket,
  { limit, signal }: ListRequest,
  prefix: string,
  position: string,
  withDelimiter: boolean,
): Promise<Page> {
  const answer = fieldsOf(
    await api.json({
      method: 'POST',
      path: `/object/list-v2/${encodeURIComponent(id)}`,
      json: {
        prefix,
        limit,
        ...(withDelimiter ? { with_delimiter: true } : {}),
        // The server's cursor is a name in base64, unsigned, so that a list can begin anywhere.
        ...(position === '' ? {} : { cursor: Buffer.from(`l:${position}`).toString('base64') }),
      },
      signal,
      readOnly: true,
    }),
  )
  if (typeof answer.hasNext !== 'boolean') throw garbage(200)
  return {
    rows: listOf(answer.objects).map(row => ({ name: nameOf(row), row })),
    folders: listOf(answer.folders).map(nameOf),
    hasNext: answer.hasNext,
  }
}

async function listFlat(
  bucket: Bucket,
  request: ListRequest,
  prefix: string,
  position: string,
): Promise<ListAnswer> {
  const { rows, hasNext } = await fetchPage(bucket, request, prefix, position, false)
  const entries = rows.flatMap(({ name, row }) => objectEntry(bucket, request, name, row))
  return ended(entries, hasNext, rows.at(-1)?.name)
}

/** All of a folder, where one page holds it; undefined where it does not. */
async function listFolder(
  bucket: Bucket,
  request: ListRequest,
  prefix: string,
): Promise<ListAnswer | undefined> {
  const { rows, folders, hasNext } = await fetchPage(bucket, request, prefix, '', true)
  // The server's own next page would leave out entries: behind `t` it goes on at `ta` and forgets `t-/` and `t/`.
  if (hasNext) return undefined
  const entries = rows.flatMap(({ name, row }) => objectEntry(bucket, request, name, row))
  for (const folder of folders) entries.push(...folderEntry(bucket, request, folder))
  return { entries: entries.sort((a, b) => compareKeys(entryName(a), entryName(b))), done: true }
}

/** Folds a flat list, and leaps over the rest of a folder that fills a page. */
async function listFolded(
  bucket: Bucket,
  request: ListRequest,
  prefix: string,
  position: string,
): Promise<ListAnswer> {
  const folderOf = (name: string) => {
    const cut = name.startsWith(prefix) ? name.indexOf('/', prefix.length) : -1
    return cut < 0 ? undefined : name.slice(0, cut + 1)
  }
  const behind = (name: string) => {
    const folder = folderOf(name)
    return folder === undefined ? name : folder + BEHIND_ALL
  }
  const { rows, hasNext } = await fetchPage(bucket, request, prefix, behind(position), false)
  const entries: ListEntry[] = []
  let last: string | undefined
  for (const { name, row } of rows) {
    const folder = folderOf(name)
    if (folder === undefined) entries.push(...objectEntry(bucket, request, name, row))
    else if (folder !== last) entries.push(...folderEntry(bucket, request, folder))
    last = folder
  }
  const lastRow = rows.at(-1)
  return ended(entries, hasNext, lastRow && behind(lastRow.name))
}

function ended(entries: ListEntry[], hasNext: boolean, cursor: string | undefined): ListAnswer {
  if (!hasNext) return { entries, done: true }
  if (cursor === undefined) throw garbage(200)
  return { entries, done: false, cursor }
}

/** None for what is hidden, and for what an escaped prefix fits without being one. */
function objectEntry(bucket: Bucket, { prefix }: ListRequest, name: string, row: unknown): ListEntry[] {
  const key = bucket.names.keyOf(name)
  return key?.startsWith(prefix) ? [{ kind: 'object', ...infoOfRow(key, row) }] : []
}

function folderEntry(bucket: Bucket, { prefix }: ListRequest, folder: string): ListEntry[] {
  const key = bucket.names.keyOf(folder)
  return key?.startsWith(prefix) ? [{ kind: 'prefix', prefix: key }] : []
}

function nameOf(row: unknown): string {
  const { name } = fieldsOf(row)
  if (typeof name !== 'string') throw garbage(200)
  return name
}
