/** Which keys the server takes, and which the blob store behind it takes. */
import { failures } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'

const KEY = /^[A-Za-z0-9_/!.*'() &$=@;:+,?-]+$/
const BUCKET = /^[A-Za-z0-9_!.*'() &$=@;:+,?-]{1,100}$/

/** `<tenant>/<bucket>/<key>/<uuid>` is what the store sees. */
const TENANT_AND_VERSION = 'stub/'.length + 1 + 1 + 36
const LONGEST_PHYSICAL_KEY = 1024
const LONGEST_SEGMENT = 255

export function requireKey(key: string): void {
  if (!KEY.test(key)) throw failures.invalidKey(key)
}

export function requireBucketName(name: string): void {
  if (!BUCKET.test(name)) throw failures.invalidBucketName()
}

/** What MinIO (or the file system) says of a key that passed the server's own check. */
export function requireStorable(state: StorageState, bucket: string, key: string): void {
  const segments = key.split('/')
  const dots = segments.some(segment => segment === '.' || segment === '..')
  if (state.blobStore === 'file') {
    if (dots) throw failures.invalidKey(key)
    if (segments.some(segment => segment.length > LONGEST_SEGMENT)) throw failures.internal()
    return
  }
  if (TENANT_AND_VERSION + bucket.length + Buffer.byteLength(key) > LONGEST_PHYSICAL_KEY)
    throw failures.storeRefuses('KeyTooLongError', 'Your key is too long')
  if (dots)
    throw failures.storeRefuses(
      'XMinioInvalidResourceName',
      'Resource name contains bad components such as ".." or ".".',
    )
  if (segments.some(segment => segment === '' || segment.length > LONGEST_SEGMENT))
    throw failures.storeRefuses('XMinioInvalidObjectName', 'Object name contains unsupported characters.')
}
