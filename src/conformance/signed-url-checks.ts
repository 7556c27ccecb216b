import type { SignedMethod } from '../core/capabilities.ts'
import type { SignedUrlOptions } from '../core/options.ts'
import type { SignedUrl } from '../core/results.ts'
import { ok, sameBytes } from './assertions.ts'
import type { Scope } from './scope.ts'

/** Signs a URL that lives for a minute. */
export function sign(scope: Scope, key: string, options: Partial<SignedUrlOptions> = {}): Promise<SignedUrl> {
  return scope.files.signedUrl(key, { expiresIn: 60, ...options })
}

/** Uses a signed URL as it was meant. */
export function use(scope: Scope, signed: SignedUrl, init: RequestInit = {}): Promise<Response> {
  const headers = { ...signed.headers, ...(init.headers as Record<string, string>) }
  return scope.fetch(signed.url, { method: signed.method, ...init, headers })
}

/** Asserts that a URL serves exactly these bytes. */
export async function serves(scope: Scope, url: string, expected: string, what: string): Promise<Response> {
  const response = await scope.fetch(url)
  const body = new Uint8Array(await response.arrayBuffer())
  ok(response.status === 200, `${what} answers ${response.status}, should be 200`)
  sameBytes(body, Buffer.from(expected), what)
  return response
}

/** Asserts that a response is a refusal, and does not hold what is protected. */
export async function isRefused(response: Response, what: string, secret?: string): Promise<void> {
  const body = await response.text()
  ok(response.status >= 400 && response.status < 500, `${what} answers ${response.status}, should be refused`)
  if (secret !== undefined) ok(!body.includes(secret), `${what} answers ${response.status} with the content`)
}

/** `url` with the path of another signed URL: what was signed for one object, used for another. */
export function withPathOf(url: string, other: string): string {
  const changed = new URL(url)
  const { pathname } = new URL(other)
  ok(pathname !== changed.pathname, 'the signed URLs of two keys have one path')
  changed.pathname = pathname
  return changed.href
}

/** `url` with one segment of its path changed: the last, or one of those before it. */
export function withSegment(url: string, fromEnd: number, change: (segment: string) => string): string {
  const changed = new URL(url)
  const segments = changed.pathname.split('/')
  const at = Math.max(1, segments.length - 1 - fromEnd)
  segments[at] = change(segments[at]!)
  changed.pathname = segments.join('/')
  return changed.href
}

/** The file name that a `Content-Disposition` carries, as browsers read it (RFC 6266, section 4.3). */
export function fileNameOf(disposition: string | null): string | undefined {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '')?.[1]
  if (encoded !== undefined) return decodeURIComponent(encoded)
  const quoted = /filename="((?:[^"\\]|\\.)*)"/.exec(disposition ?? '')?.[1]
  return quoted?.replace(/\\(.)/g, '$1') ?? /filename=([^;\s]+)/.exec(disposition ?? '')?.[1]
}

/** Methods that a provider signs. */
export function signs(scope: Scope, method: SignedMethod): boolean {
  const able = scope.capabilities.signedUrl
  return able !== false && able.methods.includes(method)
}

/** What is protected in the cases of signed URLs. */
export const SECRET = 'what only the holder of the URL may read'

export async function secretAt(scope: Scope, name = 'folder/secret.txt'): Promise<string> {
  const key = scope.key(name)
  await scope.put(key, SECRET, { contentType: 'text/plain' })
  return key
}
