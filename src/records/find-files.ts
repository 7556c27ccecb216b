import type { StorageError } from '../core/errors.ts'
import { type Listing, listingOf } from '../core/listing.ts'
import type { ObjectInfo, OperationOptions, PageOptions } from '../core/provider.ts'
import type { SqlValue } from '../sql/engine.ts'
import { assertKnownOptions } from './known-options.ts'
import { behindPrefix, keysBetween } from './list-files.ts'
import { infoOf, RECORD_COLUMNS, recordFrom } from './record.ts'
import type { RecordSet } from './record-set.ts'

/** What files must have to be found; all of it. */
export interface FindOptions extends OperationOptions {
  /** Keys that begin so. */
  prefix?: string
  /** A MIME type, or all of a kind as `image/*`. Parameters such as charset do not count. */
  contentType?: string
  /** Bytes, both ends included. */
  size?: { min?: number; max?: number }
  /** When the file was last written: from `after` on, before `before`. */
  modified?: { after?: Date; before?: Date }
  /** Metadata that must have exactly these values. Names in any case. */
  metadata?: Readonly<Record<string, string>>
  /** Files read from the database at once, 1 to 1,000. Never limits the list. */
  pageSize?: number
}

const MOST = 1000

/** The files that have all of it, in key order: by one query per page, with no request to the store. */
export function findFiles(set: RecordSet, options: FindOptions = {}): Listing {
  assertKnownOptions('find', options, {
    prefix: 'string',
    contentType: 'string',
    size: 'object',
    modified: 'object',
    metadata: 'object',
    pageSize: 'number',
  })
  const { pageSize = MOST, signal } = options
  assertLimit(set, 'pageSize', pageSize)
  const conditions = findConditions(set, options)

  async function read(after: string | undefined, limit: number): Promise<ObjectInfo[]> {
    const [between, ...bounds] = keysBetween({ prefix: options.prefix ?? '', after })
    const rows = await set.query(
      [
        `SELECT ${RECORD_COLUMNS} FROM ${set.table('files')} WHERE state = 'live'${between}${conditions.where} ORDER BY key LIMIT ${limit}`,
        ...bounds,
        ...conditions.parameters,
      ],
      { signal },
    )
    return rows.map(row => infoOf(recordFrom(row)))
  }
  const entries = (infos: readonly ObjectInfo[]) => infos.map(info => ({ kind: 'object' as const, ...info }))

  return listingOf({
    async page({ after, limit = pageSize }: PageOptions = {}) {
      assertLimit(set, 'limit', limit)
      // One more than asked for tells whether a page follows.
      const infos = await read(after, limit + 1)
      const items = entries(infos.slice(0, limit))
      return infos.length > limit ? { items, next: infos[limit - 1]!.key } : { items }
    },
    async *pages() {
      for (let after: string | undefined; ; ) {
        const infos = await read(after, pageSize)
        if (infos.length > 0) yield entries(infos)
        if (infos.length < pageSize) return
        after = infos.at(-1)!.key
      }
    },
  })
}

function findConditions(
  set: RecordSet,
  { contentType, size = {}, modified = {}, metadata = {} }: FindOptions,
): { where: string; parameters: SqlValue[] } {
  const parameters: SqlValue[] = []
  let where = ''
  const add = (condition: string, ...values: SqlValue[]) => {
    where += ` AND ${condition}`
    parameters.push(...values)
  }
  if (contentType !== undefined) addContentType(set, contentType, add)
  if (size.min !== undefined) add('size >= ?', wholeBytes(set, 'size.min', size.min))
  if (size.max !== undefined) add('size <= ?', wholeBytes(set, 'size.max', size.max))
  if (modified.after !== undefined)
    add('modified_at >= ?', milliseconds(set, 'modified.after', modified.after))
  if (modified.before !== undefined)
    add('modified_at < ?', milliseconds(set, 'modified.before', modified.before))
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw refuse(set, `metadata.${name} must be a string`)
    add(
      `key IN (SELECT key FROM ${set.table('metadata')} WHERE name = ? AND value = ?)`,
      name.toLowerCase(),
      value,
    )
  }
  return { where, parameters }
}

function addContentType(
  set: RecordSet,
  contentType: unknown,
  add: (condition: string, ...values: SqlValue[]) => void,
): void {
  const match = typeof contentType === 'string' ? /^([\w.+-]+)\/([\w.+-]+|\*)$/.exec(contentType) : null
  if (match === null) throw refuse(set, 'contentType must be a type as image/png, or a kind as image/*')
  const [, kind, subtype] = match as unknown as [string, string, string]
  const from = subtype === '*' ? `${kind}/` : `${kind}/${subtype}`
  if (subtype === '*') add('content_type >= ? AND content_type < ?', from, behindPrefix(from)!)
  else add('(content_type = ? OR (content_type >= ? AND content_type < ?))', from, `${from};`, `${from}<`)
}

function wholeBytes(set: RecordSet, name: string, value: unknown): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  throw refuse(set, `${name} must be a whole number of bytes`)
}

function milliseconds(set: RecordSet, name: string, value: unknown): bigint {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return BigInt(value.getTime())
  throw refuse(set, `${name} must be a date`)
}

function assertLimit(set: RecordSet, name: string, value: unknown): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST) return
  throw refuse(set, `${name} must be a whole number from 1 to ${MOST}`)
}

function refuse(set: RecordSet, problem: string): StorageError {
  return set.refuse('find', problem)
}
