/** HS256 tokens: API keys, signed URLs and signed uploads are all the same kind of string. */
import { createHmac, timingSafeEqual } from 'node:crypto'

export type Claims = Record<string, unknown>

export class TokenRefused extends Error {}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const hmac = (input: string, secret: string) => createHmac('sha256', secret).update(input).digest()

export function signToken(claims: Claims, secret: string, header: Claims = { alg: 'HS256' }): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${hmac(input, secret).toString('base64url')}`
}

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined
  } catch {
    return undefined
  }
}

/** The claims of a token that this secret signed and that has not expired at `nowMs`. */
export function verifyToken(token: string, secret: string, nowMs: number): Claims {
  const [head, payload, signature, ...rest] = token.split('.')
  if (!head || payload === undefined || signature === undefined || rest.length > 0)
    throw new TokenRefused('Invalid Compact JWS')
  if (decode(head)?.alg !== 'HS256') throw new TokenRefused('JWS Protected Header is invalid')
  const expected = hmac(`${head}.${payload}`, secret)
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new TokenRefused('signature verification failed')
  const claims = decode(payload)
  if (!claims) throw new TokenRefused('JWT Claims Set must be a top-level JSON object')
  if (typeof claims.exp === 'number' && claims.exp <= Math.floor(nowMs / 1000))
    throw new TokenRefused('"exp" claim timestamp check failed')
  return claims
}
