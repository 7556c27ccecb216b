import { createHash } from 'node:crypto'
import { mapBounded } from '../../core/batches.ts'
import type { RemoveRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import type { DeleteResult } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { S3Failure } from './errors.ts'
import { parseAnswer } from './list.ts'
import { one } from './object-headers.ts'
import { childrenNamed, childText, escapeXml, XML_IMPOSSIBLE, type XmlElement } from './xml.ts'

/** S3 answers 204 whether or not something was there. */
export async function removeObject(
  connection: S3Connection,
  { key, ifMatch, signal }: RemoveRequest,
  versionId?: string,
): Promise<DeleteResult> {
  const { headers, body } = await connection.send({
    method: 'DELETE',
    key,
    signal,
    ...(ifMatch === undefined ? {} : { headers: { 'if-match': `"${ifMatch}"` } }),
    ...(versionId === undefined ? {} : { query: { versionId } }),
  })
  await body.bytes()
  return goneResult(key, one(headers, 'x-amz-delete-marker') === 'true', one(headers, 'x-amz-version-id'))
}

function goneResult(key: string, deleteMarker: boolean, versionId: string | undefined): DeleteResult {
  return {
    key,
    status: 'gone',
    ...(deleteMarker ? { deleteMarker } : {}),
    ...(versionId === undefined || versionId === 'null' ? {} : { versionId }),
  }
}

export interface RemoveManyOptions {
  readonly method: 'batch' | 'single'
  readonly concurrency: number
  readonly signal: AbortSignal | undefined
  readonly toError: (error: unknown, key: string) => StorageError
}

/** Many in one request; one by one what no XML can name, or all of them on a server without DeleteObjects. */
export async function removeMany(
  connection: S3Connection,
  keys: readonly string[],
  options: RemoveManyOptions,
): Promise<DeleteResult[]> {
  const { method, concurrency, signal, toError } = options
  const single = (some: readonly string[]) =>
    mapBounded(some, concurrency, async key => {
      try {
        return await removeObject(connection, { key, ifMatch: undefined, signal })
      } catch (error) {
        if (signal?.aborted) throw error
        return { key, status: 'error' as const, error: toError(error, key) }
      }
    })
  if (method === 'single') return single(keys)
  const together = keys.filter(key => !XML_IMPOSSIBLE.test(key))
  const results = new Map<string, DeleteResult>()
  if (together.length > 0) {
    try {
      for (const result of await removeBatch(connection, together, options)) results.set(result.key, result)
    } catch (error) {
      if (
        !(error instanceof S3Failure) ||
        !['NotImplemented', 'MethodNotAllowed'].includes(error.s3Code ?? '')
      )
        throw error
    }
  }
  const alone = [...new Set(keys)].filter(key => !results.has(key))
  for (const result of await single(alone)) results.set(result.key, result)
  return keys.map(key => results.get(key)!)
}

async function removeBatch(
  connection: S3Connection,
  keys: readonly string[],
  { signal, toError }: RemoveManyOptions,
): Promise<DeleteResult[]> {
  const unique = [...new Set(keys)]
  const objects = unique.map(key => `<Object><Key>${escapeXml(key)}</Key></Object>`).join('')
  const document = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects}</Delete>`
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${document}`)
  const answer = await connection.send({
    method: 'POST',
    query: { delete: '' },
    headers: {
      'content-type': 'application/xml',
      'content-length': String(body.length),
      // The one checksum that every server takes here, and that AWS asks for.
      'content-md5': createHash('md5').update(body).digest('base64'),
    },
    body,
    signal,
  })
  const result = parseAnswer(await answer.body.text(), 'DeleteResult')
  const found = new Map<string, DeleteResult>()
  for (const entry of childrenNamed(result, 'Deleted')) {
    const key = childText(entry, 'Key') ?? ''
    const marker = childText(entry, 'DeleteMarker') === 'true'
    found.set(key, goneResult(key, marker, childText(entry, marker ? 'DeleteMarkerVersionId' : 'VersionId')))
  }
  for (const entry of childrenNamed(result, 'Error')) {
    const key = childText(entry, 'Key') ?? ''
    found.set(key, { key, status: 'error', error: toError(entryFailure(entry), key) })
  }
  return unique.map(key => {
    const known = found.get(key)
    if (known !== undefined) return known
    const unsaid = new StorageError('internal', 'the server did not say what became of the key; ask info()')
    return { key, status: 'error', error: toError(unsaid, key) }
  })
}

/** A key's own error comes without a status: 200 says only that the list was read. */
function entryFailure(entry: XmlElement): S3Failure {
  return new S3Failure(0, childText(entry, 'Code') ?? 'InternalError', childText(entry, 'Message') ?? '')
}
