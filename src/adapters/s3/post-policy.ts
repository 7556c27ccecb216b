import type { SignUploadRequest } from '../../core/driver.ts'
import type { SignedUpload } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { assertOutlived, expiryOf } from './presign.ts'

/**
 * A form that a browser may send, of at most `maxSize` bytes: what a signed PUT can't say. Source: AWS, "Creating a
 * POST policy" and "Authenticating requests in browser-based uploads using POST".
 */
export async function signPost(
  connection: S3Connection,
  bucket: string,
  request: SignUploadRequest,
): Promise<SignedUpload> {
  const { key, contentType, maxSize } = request
  const expiresIn = request.expiresIn!
  const { credentials: given, endpoint, signer } = await connection.link()
  const date = connection.signingDate()
  const credentials = await given()
  assertOutlived(credentials.expiration, expiresIn, date)
  const longDate = date.toISOString().replace(/[-:]|\.\d{3}/g, '')
  const expiresAt = expiryOf(date, expiresIn)
  const fixed: Record<string, string> = {
    key,
    ...(contentType === undefined ? {} : { 'Content-Type': contentType }),
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': signer.credentialText(credentials, date),
    'X-Amz-Date': longDate,
    ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
  }
  const conditions = [{ bucket }, ...Object.entries(fixed).map(([name, value]) => ({ [name]: value }))]
  const policy = {
    expiration: expiresAt.toISOString(),
    conditions: [...conditions, ['content-length-range', 0, maxSize]],
  }
  const encoded = Buffer.from(JSON.stringify(policy)).toString('base64')
  const fields = {
    ...fixed,
    Policy: encoded,
    'X-Amz-Signature': signer.signText(encoded, date, credentials),
  }
  return { method: 'POST', url: `${endpoint.origin}${endpoint.bucketPath}`, fields, expiresAt }
}
