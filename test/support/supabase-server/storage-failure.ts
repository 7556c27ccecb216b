/**
 * Every failure the storage API answers with a body, as the real server words it.
 *
 * The body carries `statusCode` as a string, and the HTTP status is 400 for all that the server handled itself:
 * only what it did not expect keeps its own number.
 */

const KEEPS_ITS_STATUS: ReadonlySet<number> = new Set([416, 429, 500, 544])

export class StorageFailure extends Error {
  readonly statusCode: number
  readonly error: string
  readonly code: string

  constructor(statusCode: number, error: string, message: string, code: string) {
    super(message)
    this.statusCode = statusCode
    this.error = error
    this.code = code
  }

  get httpStatus(): number {
    return KEEPS_ITS_STATUS.has(this.statusCode) ? this.statusCode : 400
  }

  body() {
    return { statusCode: String(this.statusCode), error: this.error, message: this.message, code: this.code }
  }
}

const named = (statusCode: number, code: string, message: string) =>
  new StorageFailure(statusCode, code, message, code)

export const failures = {
  noSuchKey: () => new StorageFailure(404, 'not_found', 'Object not found', 'NoSuchKey'),
  noSuchBucket: () => new StorageFailure(404, 'Bucket not found', 'Bucket not found', 'NoSuchBucket'),
  noSuchRelation: () => named(404, 'InvalidRequest', 'The related resource does not exist'),
  keyExists: () => new StorageFailure(409, 'Duplicate', 'The resource already exists', 'KeyAlreadyExists'),
  resourceExists: () =>
    new StorageFailure(409, 'Duplicate', 'The resource already exists', 'ResourceAlreadyExists'),
  bucketExists: () =>
    new StorageFailure(409, 'Duplicate', 'The resource already exists', 'BucketAlreadyExists'),
  bucketNotEmpty: () => named(409, 'ResourceNotEmpty', 'The bucket you tried to delete is not empty'),
  invalidBucketName: () =>
    new StorageFailure(400, 'Invalid Input', 'Bucket name invalid', 'InvalidBucketName'),
  invalidKey: (key: string) => named(400, 'InvalidKey', `Invalid key: ${key}`),
  tooLarge: () =>
    new StorageFailure(
      413,
      'Payload too large',
      'The object exceeded the maximum allowed size',
      'EntityTooLarge',
    ),
  mimeNotAllowed: (mime: string) =>
    new StorageFailure(415, 'invalid_mime_type', `mime type ${mime} is not supported`, 'InvalidMimeType'),
  mimeInvalid: () =>
    new StorageFailure(415, 'invalid_mime_type', 'Invalid Content-Type header', 'InvalidMimeType'),
  noContent: () => named(400, 'InvalidRequest', 'No content provided'),
  invalidJson: () => named(400, 'InvalidParameter', 'invalid input syntax for type json'),
  invalidParameter: (name: string) => named(400, 'InvalidParameter', `Invalid Parameter ${name}`),
  invalidFileSizeLimit: () =>
    new StorageFailure(400, 'Invalid Input', 'File size limit is invalid', 'InvalidFileSizeLimit'),
  unauthorized: (message: string) => new StorageFailure(403, 'Unauthorized', message, 'AccessDenied'),
  rowLevelSecurity: () =>
    new StorageFailure(403, 'Unauthorized', 'new row violates row-level security policy', 'AccessDenied'),
  accessDenied: () => new StorageFailure(403, 'Unauthorized', 'Access denied', 'AccessDenied'),
  schema: (message: string) => new StorageFailure(400, 'Error', message, 'InvalidRequest'),
  notJson: () =>
    new StorageFailure(
      400,
      'FastifyError',
      "Body is not valid JSON but content-type is set to 'application/json'",
      'InvalidRequest',
    ),
  invalidJwt: (message: string) => named(400, 'InvalidJWT', message),
  invalidSignature: (message = 'Invalid signature') => named(400, 'InvalidSignature', message),
  invalidRange: () => new StorageFailure(416, 'invalid_range', 'invalid range provided', 'InvalidRange'),
  noSuchRoute: (method: string, path: string) =>
    new StorageFailure(404, 'Not Found', `Route ${method}:${path} not found`, 'InvalidRequest'),
  noPurgeEndpoint: () =>
    named(400, 'MissingParameter', 'Missing Required Parameter CDN_PURGE_ENDPOINT_URL is not set'),
  noRenderer: () => named(500, 'InternalError', 'fetch failed'),
  unknownRole: () => named(500, 'DatabaseError', 'database error, code: 22023'),
  internal: () => new StorageFailure(500, 'Internal', 'Internal Server Error', 'InternalError'),
  storeDown: () => new StorageFailure(500, 'connect ECONNREFUSED 127.0.0.1:9900', 'Error', 'S3Error'),
  storeRefuses: (code: string, reason: string) => new StorageFailure(400, reason, code, 'S3Error'),
  lockTimeout: () =>
    new StorageFailure(503, 'acquiring_lock_timeout', 'acquiring lock timeout', 'LockTimeout'),
  databaseTimeout: () => named(544, 'DatabaseTimeout', 'The connection to the database timed out'),
  tooManyConnections: () =>
    new StorageFailure(
      429,
      'too_many_connections',
      'Too many connections issued to the database',
      'SlowDown',
    ),
}
