import { describe, expect, it } from 'vitest'
import { type UrlClaims, UrlToken } from '../../src/core/url-token.ts'
import { hasCode } from '../support/has-code.ts'

const NOW = Date.UTC(2026, 0, 1)
const EXPIRES = NOW / 1000 + 60
const SECRET = 'a-secret-of-some-length'
const token = new UrlToken({ baseUrl: 'https://example.org/files/', secret: SECRET })

function verify(url: string, change: { key?: string; method?: string; now?: number; token?: UrlToken } = {}) {
  const { pathname, searchParams } = new URL(url)
  const key = change.key ?? decodeURIComponent(pathname.slice('/files/'.length))
  return (change.token ?? token).verify(key, change.method ?? 'GET', searchParams, change.now ?? NOW)
}

describe('URL tokens', () => {
  const claims: UrlClaims = { key: 'a/ö b.txt', method: 'GET', expires: EXPIRES, download: 'ö.txt' }

  it('honours what it signed, up to the last millisecond', () => {
    const url = token.sign(claims)
    expect(verify(url)).toEqual({ ok: true, claims })
    expect(verify(url, { now: EXPIRES * 1000 - 1 }).ok).toBe(true)
    expect(verify(url, { now: EXPIRES * 1000 })).toEqual({ ok: false, reason: 'expired' })
  })

  it('lets HEAD through for GET and nothing else', () => {
    const url = token.sign(claims)
    expect(verify(url, { method: 'HEAD' }).ok).toBe(true)
    expect(verify(url, { method: 'PUT' })).toEqual({ ok: false, reason: 'wrong-method' })
    expect(verify(token.sign({ ...claims, method: 'HEAD' }), { method: 'GET' })).toEqual({
      ok: false,
      reason: 'wrong-method',
    })
  })

  it.each(['method', 'expires', 'download', 'contentType', 'size', 'maxSize'])(
    'refuses a changed, added or removed %s',
    name => {
      const signed = token.sign({ ...claims, contentType: 'text/plain', size: 3, maxSize: 9 })
      for (const change of [
        (q: URLSearchParams) => q.set(name, '8'),
        (q: URLSearchParams) => q.delete(name),
        (q: URLSearchParams) => q.append(name, '1'),
      ]) {
        const url = new URL(signed)
        change(url.searchParams)
        expect(verify(url.href)).toEqual({ ok: false, reason: 'bad-signature' })
      }
      const added = new URL(token.sign({ key: 'a', method: 'GET', expires: EXPIRES }))
      added.searchParams.append(name, '1')
      expect(verify(added.href).ok).toBe(false)
    },
  )

  it('refuses another key, no signature, and a signature of another secret', () => {
    const url = token.sign(claims)
    expect(verify(url, { key: 'a/other' })).toEqual({ ok: false, reason: 'bad-signature' })
    expect(verify(url.replace(/&signature=.*/, ''))).toEqual({ ok: false, reason: 'unsigned' })
    const other = new UrlToken({ baseUrl: 'https://example.org/files', secret: 'another-secret-of-length' })
    expect(verify(url, { token: other })).toEqual({ ok: false, reason: 'bad-signature' })
  })

  it('refuses a URL of another root that is served with the same secret', () => {
    const other = new UrlToken({ baseUrl: 'https://example.org/private', secret: SECRET })
    expect(verify(token.sign(claims), { token: other })).toEqual({ ok: false, reason: 'bad-signature' })
  })

  it('honours URLs of a previous secret and signs with the new one', () => {
    const rotated = new UrlToken({
      baseUrl: 'https://example.org/files',
      secret: 'the-new-secret-of-length',
      previousSecrets: [SECRET],
    })
    expect(verify(token.sign(claims), { token: rotated }).ok).toBe(true)
    expect(verify(rotated.sign(claims), { token }).ok).toBe(false)
  })

  it('refuses a short secret and an address that is none', () => {
    expect(() => new UrlToken({ baseUrl: 'https://example.org', secret: 'short' })).toThrow(/at least 16/)
    expect(() => new UrlToken({ baseUrl: 'ftp://example.org', secret: SECRET })).toThrow(/http/)
    expect(() => new UrlToken({ baseUrl: 'nonsense', secret: SECRET })).toThrow(/http/)
  })
})

describe('signing', () => {
  const sound = { baseUrl: 'https://example.org/files', secret: SECRET }

  it.each([
    ['no object', SECRET, /options must be an object/],
    ['null', null, /options must be an object/],
    [
      'an unknown field',
      { ...sound, previousSecret: [SECRET] },
      /unknown option 'previousSecret'; known are baseUrl/,
    ],
    ['a secret that is no string', { ...sound, secret: Buffer.from(SECRET) }, /secret must be a string/],
    ['no secret', { baseUrl: sound.baseUrl }, /16/],
    [
      'former secrets that are no list',
      { ...sound, previousSecrets: SECRET },
      /previousSecrets must be an array/,
    ],
    [
      'a base URL that is an object',
      { ...sound, baseUrl: new URL(sound.baseUrl) },
      /baseUrl must be a string/,
    ],
  ])('with %s is refused, and no secret is repeated', (_, signing, message) => {
    let thrown: unknown
    try {
      new UrlToken(signing as never)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toSatisfy(hasCode('invalid-argument'))
    expect((thrown as Error).message).toMatch(message)
    expect((thrown as Error).message).not.toContain(SECRET)
  })
})
