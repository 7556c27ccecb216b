/** Row-level security on `storage.objects`, and who is asking. */
import type { IncomingHttpHeaders } from 'node:http'
import { type Claims, TokenRefused, verifyToken } from './json-web-token.ts'
import { failures } from './storage-failure.ts'
import type { StorageState } from './storage-state.ts'

export type PolicyAction = 'select' | 'insert' | 'update' | 'delete'

export interface Policy {
  bucket: string
  actions: readonly PolicyAction[]
  /** Roles it holds for; without it, for every role. */
  roles?: readonly string[]
  /** The `using` and `with check` expression; without it, every row of the bucket. */
  when?: (row: { name: string; owner: string }, claims: Claims) => boolean
}

export interface Caller {
  role: string
  claims: Claims
}

export const SERVICE: Caller = { role: 'service_role', claims: {} }

const ROLES: ReadonlySet<string> = new Set(['anon', 'authenticated', 'service_role'])

export function callerOf(token: string, state: StorageState): Caller {
  let claims: Claims
  try {
    claims = verifyToken(token, state.jwtSecret, state.now())
  } catch (error) {
    if (error instanceof TokenRefused) throw failures.unauthorized(error.message)
    throw error
  }
  const role = typeof claims.role === 'string' ? claims.role : 'anon'
  if (!ROLES.has(role)) throw failures.unknownRole()
  return { role, claims }
}

export const bearerOf = (headers: IncomingHttpHeaders): string =>
  (headers.authorization ?? '').replace(/^Bearer\s+/i, '')

/** The caller, or the failure of a route whose schema requires the header. */
export function authenticate(headers: IncomingHttpHeaders, state: StorageState): Caller {
  if (headers.authorization === undefined)
    throw failures.schema("headers must have required property 'authorization'")
  return callerOf(bearerOf(headers), state)
}

export const ownerOf = (caller: Caller): string =>
  typeof caller.claims.sub === 'string' ? caller.claims.sub : ''

export function may(
  state: StorageState,
  caller: Caller,
  action: PolicyAction,
  bucket: string,
  row: { name: string; owner: string },
): boolean {
  if (caller.role === 'service_role') return true
  return state.policies.some(
    policy =>
      policy.bucket === bucket &&
      policy.actions.includes(action) &&
      (!policy.roles || policy.roles.includes(caller.role)) &&
      (!policy.when || policy.when(row, caller.claims)),
  )
}
