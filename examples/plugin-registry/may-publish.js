import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Whether a request brings the publish token. Hashes are compared, in constant time: how long it takes tells nothing of
 * how much of a guess was right, nor of the token's length.
 */
export function mayPublish({ headers }, token) {
  const [, given = ''] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? []
  return timingSafeEqual(hashOf(given), hashOf(token))
}

function hashOf(text) {
  return createHash('sha256').update(text).digest()
}
