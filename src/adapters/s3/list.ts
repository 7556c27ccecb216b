import type { ListAnswer, ListRequest } from '../../core/driver.ts'
import { compareKeys } from '../../core/keys.ts'
import { entryName } from '../../core/listing.ts'
import type { ListEntry } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { stripQuotes } from './object-headers.ts'
import { type ObjectRow, readObjectRows } from './object-rows.ts'
import { notS3 } from './read.ts'
import { childrenNamed, childText, parseXml, type XmlElement } from './xml.ts'

export async function listPage(connection: S3Connection, request: ListRequest): Promise<ListAnswer> {
  const { prefix, delimiter, startAfter, cursor, limit, signal } = request
  const query: Record<string, string> = {
    'list-type': '2',
    'encoding-type': 'url',
    'max-keys': String(limit),
  }
  if (prefix !== '') query.prefix = prefix
  if (delimiter !== undefined) query.delimiter = delimiter
  if (cursor !== undefined) query['continuation-token'] = cursor
  else if (startAfter !== undefined) query['start-after'] = startAfter
  const answer = await connection.send({ method: 'GET', query, signal })
  const { result, rows } = readObjectRows(await answer.body.text(), text =>
    parseAnswer(text, 'ListBucketResult'),
  )
  const name = nameDecoder(result)
  const entries: ListEntry[] = [
    ...rows.map(row => objectEntry(row, name)),
    ...childrenNamed(result, 'CommonPrefixes').map(
      (entry): ListEntry => ({ kind: 'prefix', prefix: name(childText(entry, 'Prefix') ?? '') }),
    ),
  ]
  // Objects and prefixes come as two lists, each in order.
  if (delimiter !== undefined) entries.sort((a, b) => compareKeys(entryName(a), entryName(b)))
  const next = childText(result, 'NextContinuationToken')
  const truncated = childText(result, 'IsTruncated') === 'true'
  if (truncated && !next) throw notS3('the server says that the list goes on, but not where')
  return truncated ? { entries, done: false, cursor: next! } : { entries, done: true }
}

/** Reads the names of a list that may be encoded. `+` is a space here, as in forms; a plus itself comes as `%2B`. */
export function nameDecoder(result: XmlElement): (text: string) => string {
  const encoded = childText(result, 'EncodingType') === 'url'
  return text => (encoded && /[+%]/.test(text) ? decodeURIComponent(text.replaceAll('+', ' ')) : text)
}

/** @throws `unavailable` for an answer that is another document, or none */
export function parseAnswer(text: string, name: string): XmlElement {
  let root: XmlElement | undefined
  try {
    root = parseXml(text)
  } catch {
    // Told below: what it says is no news to the caller.
  }
  if (root?.name !== name) throw notS3('the answer is not one of S3; is the endpoint right?')
  return root
}

function objectEntry(row: ObjectRow, name: (text: string) => string): ListEntry {
  if (!row.key) throw notS3('the server lists an object without its key')
  const size = row.size ? Number(row.size) : Number.NaN
  if (!Number.isSafeInteger(size)) throw notS3(`the server lists '${row.key}' without its size`)
  const etag = stripQuotes(row.etag)
  const modified = Date.parse(row.lastModified ?? '')
  return {
    kind: 'object',
    key: name(row.key),
    size,
    ...(etag ? { etag } : {}),
    ...(Number.isNaN(modified) ? {} : { lastModified: new Date(modified) }),
    ...(row.storageClass ? { storageClass: row.storageClass } : {}),
  }
}
