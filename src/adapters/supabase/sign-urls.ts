import { fileNameOf } from '../../core/content-disposition.ts'
import type { SignRequest, SignUploadRequest } from '../../core/driver.ts'
import { StorageError } from '../../core/errors.ts'
import type { KeyResult, SignedUpload, SignedUrl } from '../../core/results.ts'
import { assertBucket, type Bucket, insertOrReplace, isFailure } from './bucket.ts'
import { tokenClaims } from './connection.ts'
import { fieldsOf, listOf } from './object-info.ts'
import { garbage } from './storage-api.ts'

/** All in one request. */
export async function signUrls(
  bucket: Bucket,
  keys: readonly string[],
  { expiresIn, download, signal }: SignRequest,
): Promise<KeyResult<SignedUrl>[]> {
  const { id, api, names } = bucket
  const results = keys.map((key): KeyResult<SignedUrl> | { key: string; name: string } => {
    try {
      return { key, name: names.nameOf(key) }
    } catch (error) {
      return { key, ok: false, error: error as StorageError }
    }
  })
  const paths = results.flatMap(result => ('name' in result ? [result.name] : []))
  if (paths.length === 0) return results as KeyResult<SignedUrl>[]
  const path = `/object/sign/${encodeURIComponent(id)}`
  const answers = listOf(
    await api.json({ method: 'POST', path, json: { expiresIn, paths }, signal, readOnly: true }),
  ).map(fieldsOf)
  if (answers.length !== paths.length) throw garbage(200)
  // A missing bucket looks like one in which nothing is.
  if (answers.every(answer => answer.error !== null)) await assertBucket(bucket, signal)
  let next = 0
  return results.map(result => {
    if (!('name' in result)) return result
    const { key, name } = result
    const { error, path: answered, signedURL } = answers[next++]!
    if (answered !== name) throw garbage(200)
    if (typeof signedURL !== 'string') {
      const said = typeof error === 'string' ? error : 'the server signed nothing'
      return { key, ok: false, error: new StorageError('not-found', `nothing to sign: ${said}`, { key }) }
    }
    const { token, expiresAt } = tokenOf(signedURL)
    // The server's own URL leaves spaces as they are, and supabase-js encodes the name twice.
    const save = download === undefined ? '' : `&download=${encodeURIComponent(download || fileNameOf(key))}`
    const url = `${api.connection.storageUrl}/object/sign/${names.pathOf(name)}?token=${token}${save}`
    return { key, ok: true, value: { url, expiresAt, method: 'GET', headers: {} } }
  })
}

export async function signUpload(bucket: Bucket, { key, signal }: SignUploadRequest): Promise<SignedUpload> {
  const { api, names } = bucket
  const path = names.pathOf(names.nameOf(key))
  // Whether it may replace is bound into the token.
  const signing = insertOrReplace(headers =>
    api.json({ method: 'POST', path: `/object/upload/sign/${path}`, headers, json: {}, signal }),
  )
  const answer = await signing.catch(async error => {
    // Of a missing bucket the row policies speak first.
    if (isFailure(error, 'permission-denied')) await assertBucket(bucket, signal)
    throw error
  })
  const { token, expiresAt } = tokenOf(fieldsOf(answer).url)
  const url = `${api.connection.storageUrl}/object/upload/sign/${path}?token=${token}`
  return { method: 'PUT', url, headers: {}, expiresAt }
}

export function publicUrl({ api, names }: Bucket, key: string): string {
  return `${api.connection.storageUrl}/object/public/${names.pathOf(names.nameOf(key))}`
}

function tokenOf(url: unknown): { token: string; expiresAt: Date } {
  const token = typeof url === 'string' ? /[?&]token=([\w.-]+)/.exec(url)?.[1] : undefined
  const expires = token && tokenClaims(token)?.exp
  if (token === undefined || typeof expires !== 'number') throw garbage(200)
  return { token, expiresAt: new Date(expires * 1000) }
}
