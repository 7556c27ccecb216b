import type { Capabilities } from '../../core/capabilities.ts'
import { ANY_KEY, type KeyRules } from '../../core/keys.ts'
import type { S3Options } from './options.ts'
import { MAX_EXPIRES_IN } from './options.ts'

/** AWS's own hosts, in all its partitions. */
const AWS_HOST = /(?:^|\.)amazonaws\.com(?:\.cn)?$/

/**
 * What servers other than AWS can be trusted with until they are known better: MinIO stores `/a` as `a`, refuses
 * `a//b`, takes a backslash for a slash where dots follow, and leaves `a/b` out of lists beside `a`; versitygw keeps
 * names as files, and lists control characters as something else.
 */
const CAUTIOUS_KEY: KeyRules = {
  ...ANY_KEY,
  maxSegmentBytes: 255,
  emptySegments: false,
  fileAndFolder: false,
  allowed: /^(?!(?:.*[\\/])?\.\.?(?:[\\/]|$))[^\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]*$/s,
}

/** Before the endpoint has been asked. What decides over data is never guessed from its name. */
export function initialCapabilities(options: S3Options): Capabilities {
  const { keys, capabilities } = options
  return {
    layers: [],
    createOnly: 'unknown',
    conditionalReplace: 'unknown',
    // The etag of the answer is compared here, whatever the server does.
    conditionalRead: true,
    conditionalCopySource: 'unknown',
    createOnlyCopy: 'unknown',
    conditionalDelete: 'unknown',
    metadata: true,
    cacheControl: true,
    contentDisposition: true,
    contentEncoding: true,
    contentLanguage: true,
    storageClass: true,
    checksums: ['sha256', 'sha1', 'crc32'],
    checksumAlways: false,
    versionedDelete: true,
    unfinishedUploads: true,
    resumableUpload: true,
    deleteReportsMissing: false,
    writable: true,
    signedUrl: {
      methods: ['GET', 'HEAD', 'PUT', 'DELETE'],
      maxExpiresIn: MAX_EXPIRES_IN,
      checksExistence: false,
      bindsContentType: true,
      bindsDownload: true,
    },
    signedUpload: { choosesExpiry: true, size: true, maxSize: true, contentType: true, finalizes: false },
    publicUrl: publicBase(options) !== undefined,
    ...capabilities,
    keys: { ...(isAws(options) ? ANY_KEY : CAUTIOUS_KEY), ...keys },
  }
}

/** A client's endpoint is known only when it has been asked, which takes a promise: it is taken for unknown. */
function isAws(options: S3Options): boolean {
  if (options.client !== undefined) return options.client.config.isCustomEndpoint !== true
  return options.endpoint === undefined || AWS_HOST.test(new URL(options.endpoint).hostname)
}

/** The address that `publicUrl` puts keys behind, where it is known without a request. */
export function publicBase(options: S3Options): string | undefined {
  const { bucket, publicBaseUrl } = options
  if (publicBaseUrl !== undefined) return publicBaseUrl.replace(/\/+$/, '')
  if (options.client !== undefined) return undefined
  const { endpoint, region, forcePathStyle } = options
  if (endpoint !== undefined) {
    const { protocol, host, pathname } = new URL(endpoint)
    const path = pathname.replace(/\/+$/, '')
    return forcePathStyle ? `${protocol}//${host}${path}/${bucket}` : `${protocol}//${bucket}.${host}${path}`
  }
  if (typeof region !== 'string') return undefined
  // A dot in the bucket's name breaks the certificate of the virtual host.
  return bucket.includes('.')
    ? `https://s3.${region}.amazonaws.com/${bucket}`
    : `https://${bucket}.s3.${region}.amazonaws.com`
}
