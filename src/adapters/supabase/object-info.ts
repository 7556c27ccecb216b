import type { ObjectInfo } from '../../core/results.ts'
import { garbage } from './storage-api.ts'

type Fields = Record<string, unknown>

/** Reads the answer of the info route. */
export function infoOfRecord(key: string, answer: unknown): ObjectInfo {
  const record = fieldsOf(answer)
  return {
    ...common(key, record.size, record.content_type, record.etag, record.cache_control, record.last_modified),
    metadata: metadataOf(record.metadata),
  }
}

/** Reads a row as lists and copies send it: the store's own attributes are nested, lists leave the user's out. */
export function infoOfRow(key: string, row: unknown): ObjectInfo {
  const { metadata, updated_at, user_metadata } = fieldsOf(row)
  const system = fieldsOf(metadata ?? {})
  return {
    ...common(key, system.size, system.mimetype, system.eTag, system.cacheControl, updated_at),
    ...(user_metadata === undefined ? {} : { metadata: metadataOf(user_metadata) }),
  }
}

/** Reads the headers of a download. `size` is the whole object's. They hold no metadata of the user. */
export function infoOfHeaders(key: string, size: number, headers: Headers): ObjectInfo {
  const header = (name: string) => headers.get(name) ?? undefined
  return common(
    key,
    size,
    header('content-type'),
    header('etag'),
    header('cache-control'),
    header('last-modified'),
  )
}

function common(
  key: string,
  size: unknown,
  contentType: unknown,
  etag: unknown,
  cacheControl: unknown,
  lastModified: unknown,
): ObjectInfo {
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw garbage(200)
  const time = new Date(typeof lastModified === 'string' ? lastModified : Number.NaN)
  return {
    key,
    size,
    ...(typeof contentType === 'string' ? { contentType } : {}),
    ...(typeof etag === 'string' ? { etag: plainEtag(etag) } : {}),
    ...(typeof cacheControl === 'string' ? { cacheControl } : {}),
    ...(Number.isNaN(time.getTime()) ? {} : { lastModified: time }),
  }
}

function plainEtag(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"|"$/g, '')
}

/** Other programs store any JSON: what is no string is given as its JSON. */
function metadataOf(stored: unknown): Record<string, string> {
  if (stored === null || stored === undefined) return {}
  return Object.fromEntries(
    Object.entries(fieldsOf(stored)).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}

/** As the header `x-metadata` takes it. */
export function encodedMetadata(metadata: Readonly<Record<string, string>>): string {
  return Buffer.from(JSON.stringify(metadata)).toString('base64')
}

/** @throws `internal` where an answer that should be a JSON object is none */
export function fieldsOf(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw garbage(200)
}

/** A success that does not say so is none: something else answered. @throws `internal` */
export function assertSays(answer: unknown, field: string): void {
  if (typeof fieldsOf(answer)[field] !== 'string') throw garbage(200)
}

export function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  throw garbage(200)
}
