import { createHash, randomUUID } from 'node:crypto'
import { invalidOption, type SupabaseOptions } from './options.ts'

/** Where requests go and whose they are. */
export interface Connection {
  /** Up to and including `/storage/v1`. */
  readonly storageUrl: string
  readonly fetch: typeof fetch
  /** Sent with every request; a client adds its credentials itself. */
  readonly headers: Readonly<Record<string, string>>
  /** Tells credentials apart that see different objects; absent where the key sees all. No key is found from it. */
  readonly viewer: string | undefined
  /** Whether no row policy can hide an object from this credential now. */
  seesEverything(): Promise<boolean>
  /** `text` without the key, should a server echo it. */
  scrub(text: string): string
}

/** @throws `invalid-argument` where neither a client nor a URL and a key are given, or both */
export function connect(options: SupabaseOptions): Connection {
  const { client, url, key } = options
  if (client !== undefined) {
    if (url !== undefined || key !== undefined || options.fetch !== undefined)
      throw invalidOption('give a client, or url and key (and fetch), not both')
    return clientConnection(client)
  }
  if (url === undefined || key === undefined) throw invalidOption('needs a client, or url and key')
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key))
    throw invalidOption('key must be a key of the project or an access token')
  if (options.fetch !== undefined && typeof options.fetch !== 'function')
    throw invalidOption('fetch must be a function')
  const bypasses = bypassesPolicies(key)
  return {
    storageUrl: storageUrlOf(url),
    // Looked up at each call, so that an instrumented or replaced global is used.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    headers: { authorization: `Bearer ${key}`, apikey: key },
    viewer: bypasses ? undefined : createHash('sha256').update(key).digest('base64url').slice(0, 16),
    seesEverything: async () => bypasses,
    scrub: text => scrubbed(text, key),
  }
}

function storageUrlOf(url: unknown): string {
  let parsed: URL
  try {
    parsed = new URL(String(url))
  } catch {
    throw invalidOption("url must be the project's, such as https://abc.supabase.co")
  }
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')
    throw invalidOption('url must begin with https:// or http://')
  if (parsed.username !== '' || parsed.password !== '') throw invalidOption('url must hold no credentials')
  const base = parsed.origin + parsed.pathname.replace(/\/+$/, '')
  return base.endsWith('/storage/v1') ? base : `${base}/storage/v1`
}

/** Where a `SupabaseClient` keeps what its types hide. */
interface ClientParts {
  readonly supabaseKey?: unknown
  readonly accessToken?: () => Promise<string | null>
  readonly auth?: { getSession(): Promise<{ data: { session: { access_token: string } | null } }> }
  readonly storage?: { url?: unknown; headers?: unknown; fetch?: unknown }
}

/**
 * Goes through the client's own `fetch`, which puts the key and the token of whoever is signed in on each request,
 * renews that token, and honours the client's `global.fetch`.
 */
function clientConnection(client: object): Connection {
  const parts = client as ClientParts
  const { url, headers, fetch } = parts.storage ?? {}
  const key = parts.supabaseKey
  if (typeof url !== 'string' || typeof fetch !== 'function' || typeof key !== 'string')
    throw invalidOption('client must be a SupabaseClient of @supabase/supabase-js 2; else give url and key')
  return {
    storageUrl: url.replace(/\/+$/, ''),
    fetch: fetch as typeof globalThis.fetch,
    headers: headers instanceof Headers ? Object.fromEntries(headers) : { ...(headers as object) },
    viewer: viewerOf(parts, key),
    async seesEverything() {
      try {
        return bypassesPolicies((await tokenOf(parts)) ?? key)
      } catch {
        return false
      }
    },
    scrub: text => scrubbed(text, key),
  }
}

const VIEWERS = new WeakMap<object, string>()

/** Who is signed in to a client may change, and is known to a promise only: each client sees for itself. */
function viewerOf(client: ClientParts, key: string): string | undefined {
  if (bypassesPolicies(key) && typeof client.accessToken !== 'function') return undefined
  const viewer = VIEWERS.get(client) ?? randomUUID()
  VIEWERS.set(client, viewer)
  return viewer
}

async function tokenOf(client: ClientParts): Promise<string | undefined> {
  if (typeof client.accessToken === 'function') return (await client.accessToken()) ?? undefined
  const session = await client.auth?.getSession()
  return session?.data.session?.access_token
}

/** Service keys do: a JWT with that role, or the newer form. https://supabase.com/docs/guides/api/api-keys */
function bypassesPolicies(token: string): boolean {
  return token.startsWith('sb_secret_') || tokenClaims(token)?.role === 'service_role'
}

/** What a JWT says, unverified: the server verifies. */
export function tokenClaims(token: string): { role?: unknown; exp?: unknown } | undefined {
  const payload = token.split('.')[1]
  if (payload === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? claims : undefined
  } catch {
    return undefined
  }
}

function scrubbed(text: string, key: string): string {
  return key.length < 8 ? text : text.replaceAll(key, '[redacted]')
}
