import { assertContentType } from './content-type.ts'
import type { Driver, SignRequest, SignUploadRequest } from './driver.ts'
import { invalidArgument, readOnly, unsupported } from './errors.ts'
import type { SignedUploadOptions, SignedUrlOptions } from './options.ts'

/** One year: what is asked for beyond it is a slip of units. */
export const MAX_EXPIRES_IN = 31_536_000
const METHODS: readonly unknown[] = ['GET', 'HEAD', 'PUT', 'DELETE']

/** Reads the options of `signedUrl` and `signedUrls`. @throws `invalid-argument`; `unsupported` */
export function signRequest(
  { name, capabilities }: Driver,
  operation: 'signedUrl' | 'signedUrls',
  options: SignedUrlOptions | undefined,
  signal: AbortSignal | undefined,
): SignRequest {
  const able = capabilities.signedUrl
  if (able === false)
    throw unsupported(
      operation,
      name,
      'this provider signs no URLs; local and memory storage do with the option signing',
    )
  const { method = 'GET', download, contentType } = options ?? {}
  // Who lets others write says for how long.
  const { expiresIn = reads(method) ? able.defaultExpiresIn : undefined } = options ?? {}
  assertExpiresIn(expiresIn, able.maxExpiresIn, operation, name)
  if (!METHODS.includes(method))
    throw invalidArgument(operation, name, 'method must be GET, HEAD, PUT or DELETE')
  if (!capabilities.writable && (method === 'PUT' || method === 'DELETE')) throw readOnly(operation, name)
  if (!able.methods.includes(method)) {
    throw unsupported(operation, name, `the store signs ${able.methods.join(', ')}, not ${method}`)
  }
  if (contentType !== undefined) {
    if (method !== 'PUT') throw invalidArgument(operation, name, 'contentType goes with method PUT')
    assertContentType(contentType, operation, name)
    if (!able.bindsContentType)
      throw unsupported(operation, name, 'the store binds no type to a URL; leave contentType out')
  }
  if (download !== undefined && download !== false) {
    if (method !== 'GET') throw invalidArgument(operation, name, 'download goes with method GET')
    if (download !== true && !isFileName(download)) {
      throw invalidArgument(operation, name, 'download must be true or a file name')
    }
  }
  return { expiresIn, method, contentType, signal, download: download === true ? '' : download || undefined }
}

/** Reads the options of `signedUpload`. @throws `invalid-argument`; `unsupported` */
export function signUploadRequest(
  { name, capabilities }: Driver,
  key: string,
  options: SignedUploadOptions | undefined,
  signal: AbortSignal | undefined,
): Omit<SignUploadRequest, 'own'> {
  const operation = 'signedUpload'
  const able = capabilities.signedUpload
  const { expiresIn, contentType, size, maxSize } = options ?? {}
  if (able === false)
    throw unsupported(
      operation,
      name,
      'this provider signs no uploads; local and memory storage do with the option signing',
    )
  if (able.choosesExpiry) assertExpiresIn(expiresIn, able.maxExpiresIn, operation, name)
  else if (expiresIn !== undefined) {
    throw unsupported(operation, name, 'the store sets the lifetime itself; leave expiresIn out')
  }
  if (contentType !== undefined) assertContentType(contentType, operation, name)
  for (const [option, value] of Object.entries({ size, maxSize })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) continue
    throw invalidArgument(operation, name, `${option} must be a whole number of bytes`)
  }
  if (size !== undefined && maxSize !== undefined) {
    throw invalidArgument(operation, name, 'give size or maxSize, not both')
  }
  for (const [option, value] of Object.entries({ contentType, size, maxSize })) {
    if (value === undefined || able[option as 'size']) continue
    throw unsupported(operation, name, `the store can't enforce ${option}`)
  }
  return { key, expiresIn, contentType, size, maxSize, signal }
}

export function reads(method: unknown): boolean {
  return method === 'GET' || method === 'HEAD'
}

export function isFileName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.isWellFormed() && !/[\x00-\x1f\x7f]/.test(name)
}

function assertExpiresIn(
  expiresIn: unknown,
  most: number | undefined,
  operation: string,
  provider: string,
): asserts expiresIn is number {
  const limit = most ?? MAX_EXPIRES_IN
  if (typeof expiresIn === 'number' && Number.isInteger(expiresIn) && expiresIn > 0 && expiresIn <= limit)
    return
  throw invalidArgument(operation, provider, `expiresIn must be whole seconds from 1 to ${limit}`)
}
