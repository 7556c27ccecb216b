/** AWS Signature Version 4, checked as the server checks it: header, presigned query, and chunk by chunk. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Exchange } from './http-exchange.ts'
import { header } from './http-exchange.ts'
import { S3_CREDENTIALS } from './s3-credentials.ts'
import { StorageFailure } from './storage-failure.ts'

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()

export interface Signed {
  /** What the client says of the body: a hash, or one of the words for a body without one. */
  payload: string
  date: string
  scope: string
  key: Buffer
  signature: string
}

export const doesNotMatch = () =>
  new StorageFailure(
    403,
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    'SignatureDoesNotMatch',
  )

const invalid = (message: string) => new StorageFailure(400, 'InvalidSignature', message, 'InvalidSignature')

interface Claim {
  credential: string
  signedHeaders: string
  signature: string
  date: string
  payload: string
  presigned: boolean
}

function claimOf(exchange: Exchange, nowMs: number): Claim {
  const { query } = exchange
  if (query.has('X-Amz-Signature')) {
    const date = query.get('X-Amz-Date') ?? ''
    const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
    if (!(at + Number(query.get('X-Amz-Expires')) * 1000 > nowMs))
      throw new StorageFailure(400, 'ExpiredToken', 'The provided token has expired.', 'ExpiredToken')
    return {
      credential: query.get('X-Amz-Credential') ?? '',
      signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
      signature: query.get('X-Amz-Signature') ?? '',
      date,
      payload: query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
      presigned: true,
    }
  }
  const authorization = header(exchange, 'authorization')
  if (authorization === undefined) throw invalid('Missing authorization header')
  if (!authorization.startsWith('AWS4-HMAC-SHA256 ')) throw invalid('Unsupported authorization type')
  const field = (name: string) => new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1] ?? ''
  return {
    credential: field('Credential'),
    signedHeaders: field('SignedHeaders'),
    signature: field('Signature'),
    date: header(exchange, 'x-amz-date') ?? '',
    payload: header(exchange, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD',
    presigned: false,
  }
}

const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

function canonicalQuery(exchange: Exchange): string {
  return [...exchange.query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort((a, b) => (a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]) ? -1 : 1))
    .map(pair => pair.join('='))
    .join('&')
}

export function verifyRequest(exchange: Exchange, nowMs: number): Signed {
  const claim = claimOf(exchange, nowMs)
  const [accessKeyId, day = '', region = '', service = ''] = claim.credential.split('/')
  if (accessKeyId !== S3_CREDENTIALS.accessKeyId) throw doesNotMatch()
  const canonical = [
    exchange.method,
    exchange.target.split('?')[0],
    canonicalQuery(exchange),
    ...claim.signedHeaders
      .split(';')
      .map(name => `${name}:${(header(exchange, name) ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    claim.signedHeaders,
    claim.payload,
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const key = [region, service, 'aws4_request'].reduce(
    hmac,
    hmac(`AWS4${S3_CREDENTIALS.secretAccessKey}`, day),
  )
  const expected = hmac(key, ['AWS4-HMAC-SHA256', claim.date, scope, sha256(canonical)].join('\n')).toString(
    'hex',
  )
  requireEqual(expected, claim.signature)
  return { payload: claim.payload, date: claim.date, scope, key, signature: expected }
}

function requireEqual(expected: string, given: string): void {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)]
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw doesNotMatch()
}

/** The bytes the client meant, out of the chunks or the plain body it sent, once their signatures hold. */
export function verifiedBody(signed: Signed, body: Buffer): Buffer {
  if (signed.payload.startsWith('STREAMING-')) return unchunked(signed, body)
  if (signed.payload !== 'UNSIGNED-PAYLOAD' && sha256(body) !== signed.payload)
    throw new StorageFailure(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      'XAmzContentSHA256Mismatch',
    )
  return body
}

/** Chunks of `size[;chunk-signature=…]`, each signature over the one before; trailers end the body. */
function unchunked(signed: Signed, body: Buffer): Buffer {
  const isSigned = signed.payload.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')
  const chunks: Buffer[] = []
  let previous = signed.signature
  let at = 0
  for (;;) {
    const lineEnd = body.indexOf('\r\n', at)
    if (lineEnd < 0)
      throw new StorageFailure(400, 'IncompleteBody', 'The body ended too early', 'IncompleteBody')
    const line = body.subarray(at, lineEnd).toString('latin1')
    const size = Number.parseInt(line, 16)
    const chunk = body.subarray(lineEnd + 2, lineEnd + 2 + size)
    if (isSigned) {
      const text = [
        'AWS4-HMAC-SHA256-PAYLOAD',
        signed.date,
        signed.scope,
        previous,
        sha256(''),
        sha256(chunk),
      ]
      const expected = hmac(signed.key, text.join('\n')).toString('hex')
      requireEqual(expected, /chunk-signature=([0-9a-f]+)/.exec(line)?.[1] ?? '')
      previous = expected
    }
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(chunk)
    at = lineEnd + 2 + size + 2
  }
}
