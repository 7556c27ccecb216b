import { createHash } from 'node:crypto'
import { mapBounded } from '../../core/batches.ts'
import type { RemoveRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import type { KeyEntry } from '../../core/options.ts'
import type { DeleteResult } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { S3Failure } from './errors.ts'
import { parseAnswer } from './list.ts'
import { one } from './object-headers.ts'
import { childrenNamed, childText, escapeXml, XML_IMPOSSIBLE, type XmlElement } from './xml.ts'

type Removal = Pick<RemoveRequest, 'key' | 'signal'> & Partial<Pick<RemoveRequest, 'ifMatch' | 'versionId'>>

/** S3 answers 204 whether or not something was there. */
export async function removeObject(
  connection: S3Connection,
  { key, ifMatch, versionId, signal }: Removal,
): Promise<DeleteResult> {
  const { headers, body } = await connection.send({
    method: 'DELETE',
    key,
    signal,
    ...(ifMatch === undefined ? {} : { headers: { 'if-match': `"${ifMatch}"` } }),
    ...(versionId === undefined ? {} : { query: { versionId } }),
  })
  await body.bytes()
  if (versionId !== undefined) return { key, status: 'gone', versionId }
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
  entries: readonly KeyEntry[],
  options: RemoveManyOptions,
): Promise<DeleteResult[]> {
  const { method, concurrency, signal, toError } = options
  const single = (some: readonly KeyEntry[]) =>
    mapBounded(some, concurrency, async ({ key, versionId }) => {
      try {
        return await removeObject(connection, { key, versionId, signal })
      } catch (error) {
        if (signal?.aborted) throw error
        return { key, status: 'error' as const, error: toError(error, key) }
      }
    })
  const unique = new Map(entries.map(entry => [nameOf(entry), entry]))
  const results = new Map<string, DeleteResult>()
  const together =
    method === 'single' ? [] : [...unique.values()].filter(({ key }) => !XML_IMPOSSIBLE.test(key))
  if (together.length > 0) {
    try {
      const done = await removeBatch(connection, together, options)
      for (const [at, result] of done.entries()) results.set(nameOf(together[at]!), result)
    } catch (error) {
      if (
        !(error instanceof S3Failure) ||
        !['NotImplemented', 'MethodNotAllowed'].includes(error.s3Code ?? '')
      )
        throw error
    }
  }
  const alone = [...unique].filter(([name]) => !results.has(name))
  const rest = await single(alone.map(([, entry]) => entry))
  for (const [at, result] of rest.entries()) results.set(alone[at]![0], result)
  return entries.map(entry => results.get(nameOf(entry))!)
}

/** A key and a version as one string: no version holds a NUL, and neither does a key. */
function nameOf({ key, versionId }: KeyEntry): string {
  return versionId === undefined ? key : `${key}\0${versionId}`
}

async function removeBatch(
  connection: S3Connection,
  entries: readonly KeyEntry[],
  { signal, toError }: RemoveManyOptions,
): Promise<DeleteResult[]> {
  const objects = entries.map(({ key, versionId }) => {
    const version = versionId === undefined ? '' : `<VersionId>${escapeXml(versionId)}</VersionId>`
    return `<Object><Key>${escapeXml(key)}</Key>${version}</Object>`
  })
  const document = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects.join('')}</Delete>`
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
  const asked = new Set(entries.map(nameOf))
  const found = new Map<string, DeleteResult>()
  for (const entry of childrenNamed(result, 'Deleted')) {
    const key = childText(entry, 'Key') ?? ''
    const versionId = childText(entry, 'VersionId')
    const name = nameOf({ key, versionId })
    if (versionId !== undefined && asked.has(name)) {
      // A marker that is named here was deleted and not made.
      found.set(name, { key, status: 'gone', versionId })
      continue
    }
    const marker = childText(entry, 'DeleteMarker') === 'true'
    found.set(key, goneResult(key, marker, marker ? childText(entry, 'DeleteMarkerVersionId') : versionId))
  }
  for (const entry of childrenNamed(result, 'Error')) {
    const key = childText(entry, 'Key') ?? ''
    const versionId = childText(entry, 'VersionId') || undefined
    const failed = { key, status: 'error', error: toError(entryFailure(entry), key) } as const
    found.set(nameOf({ key, versionId }), failed)
  }
  return entries.map(entry => {
    const known = found.get(nameOf(entry))
    if (known !== undefined) return known
    const { key } = entry
    const unsaid = new StorageError('internal', 'the server did not say what became of the key; ask info()')
    return { key, status: 'error', error: toError(unsaid, key) }
  })
}

/** A key's own error comes without a status: 200 says only that the list was read. */
function entryFailure(entry: XmlElement): S3Failure {
  return new S3Failure(0, childText(entry, 'Code') ?? 'InternalError', childText(entry, 'Message') ?? '')
}
