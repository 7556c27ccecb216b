/** Tokens of signed URLs. They name a path and nothing else: not the object, not its version. */
import { type Claims, signToken, TokenRefused, verifyToken } from './json-web-token.ts'
import { failures } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'

/** A signed upload lives for two hours, whatever the client asks. */
const UPLOAD_TOKEN_SECONDS = 7200

const seconds = (state: StorageState) => Math.floor(state.now() / 1000)

export function downloadToken(
  state: StorageState,
  path: string,
  expiresIn: number,
  transform: Claims = {},
): string {
  const iat = seconds(state)
  const claims = { ...transform, url: path, scope: 'download', iat, exp: iat + expiresIn }
  return signToken(claims, state.jwtSecret)
}

export function uploadToken(state: StorageState, path: string, upsert: boolean, owner: string): string {
  const iat = seconds(state)
  const claims = {
    ...(owner ? { owner } : {}),
    url: path,
    upsert,
    scope: 'upload',
    iat,
    exp: iat + UPLOAD_TOKEN_SECONDS,
  }
  return signToken(claims, state.jwtSecret)
}

function claimsOf(state: StorageState, token: string): Claims {
  try {
    return verifyToken(token, state.jwtSecret, state.now())
  } catch (error) {
    if (error instanceof TokenRefused) throw failures.invalidJwt(error.message)
    throw error
  }
}

/** When the token ends, as an HTTP date. */
export function downloadExpiry(state: StorageState, token: string, path: string): string {
  const claims = claimsOf(state, token)
  if (claims.scope !== undefined && claims.scope !== 'download')
    throw failures.invalidSignature('Token is not scoped for download')
  if (claims.url !== path) throw failures.invalidSignature()
  return new Date(Number(claims.exp) * 1000).toUTCString()
}

export function uploadTokenOf(state: StorageState, token: string, bucket: string, key: string) {
  const claims = claimsOf(state, token)
  if (claims.scope !== 'upload') throw failures.invalidSignature('Token is not scoped for upload')
  if (claims.url !== `${bucket}/${key}`) throw failures.invalidSignature()
  return { upsert: claims.upsert === true, owner: typeof claims.owner === 'string' ? claims.owner : '' }
}
