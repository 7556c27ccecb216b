import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type ImageOptions, imgproxy, imgproxyAsync } from '../../../src/images/imgproxy/index.ts'
import { builderOf, ENDPOINT, type Vector, vectors, wishOf } from '../../support/imgproxy/vectors.ts'
import { refused } from '../../support/refused.ts'

/** What we refuse instead of building a URL that the server refuses, or that means something else than it says. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'encodeURI() instead of encodeURIComponent -> 403 (query cut)': /sourceEncoding must be/,
  'single-encoded 100%25.jpg (plain-raw) -> invalid URL escape': /sourceEncoding must be/,
  'bad percent sequence in plain -> 400 by the HTTP server': /sourceEncoding must be/,
  'unencoded source containing ":/x" later is "repaired" wrongly': /sourceEncoding must be/,
  'http source literal % not pre-encoded -> error': /valid, percent-encoded URL/,
  'rotate 45 -> 404': /rotate must be 0, 90, 180 or 270/,
  'output bogus -> 404': /format must be one of/,
  'unknown preset -> 404': /there is no preset 'nope'/,
  'expires in ms (wrong unit) accepted as far future': /expires must be in seconds/,
  'unsupported scheme': /source must be an http or https URL/,
  'empty source': /source is empty/,
  'relative source without BASE_URL': /source must be an http or https URL/,
  'only-presets with options -> 404': /resize cannot be told a server that takes only presets/,
  'absolute source not under BASE_URL gets the base prepended -> 404': /must be relative or begin with/,
}

/** The path is ours and the word before it is no signature of it, or was made for another path. */
const NOT_SIGNED_BY_US = [
  'signature not base64url',
  'unsafe on a signing server -> 403',
  'insecure on a signing server -> 403',
  'padded signature -> 403',
  'trusted signature',
  'unsigned server: unsafe',
  'unsigned server: any word (insecure, _)',
  'unsigned server: missing signature segment',
]

/** Paths written by hand: signed by the same rule, not what we would build. Those below are what we say to the wish. */
const SIGNATURE_ONLY: Readonly<Record<string, { wish?: ImageOptions; refusal?: RegExp }>> = {
  'lower-case percent hex is accepted when signed so': {},
  '%3A in options signed as %3A -> 403': {},
  'MinIO presigned unencoded -> query dropped -> origin 403': {},
  'unknown option -> 404': { wish: { foo: 1 } as ImageOptions, refusal: /there is no option 'foo'/ },
  'cache buster with : -> 404': { wish: { cacheBuster: 'a:b' }, refusal: /cacheBuster cannot hold/ },
  'cache buster etag with slash breaks -> 404': {
    wish: { cacheBuster: 'a/b' },
    refusal: /cacheBuster cannot hold/,
  },
  'security option -> 403': {
    wish: { maxSourceMegapixels: 10 },
    refusal: /IMGPROXY_ALLOW_SECURITY_OPTIONS/,
  },
  'deprecated basic URL format -> 404': {},
  'max result dimension': {},
  'docs example (signature.js of the imgproxy repo)': {},
  'docs signing page (key secret, salt hello)': {},
  'docs truncated example (8 bytes)': {},
}

/** Not a signed path at all: the Pro server's other endpoint. Nothing here builds one. */
const INFO = 'info endpoint (pro only) -> 403 on OSS'

/** A path that the recorder wrote by hand and that is exactly what we build. */
const WISHES: Readonly<Record<string, ImageOptions>> = {
  'cache buster with unsafe chars needs encoding: "a b"': {
    resize: 'fit',
    width: 100,
    height: 0,
    cacheBuster: 'a b',
    format: 'webp',
  },
  'only-presets two + ext': { preset: ['thumb', 'placeholder'], format: 'webp' },
}

const wish = (vector: Vector) => WISHES[vector.name] ?? wishOf(vector)
const isExact = ({ name }: Vector) =>
  !(name in REFUSED || name in SIGNATURE_ONLY || NOT_SIGNED_BY_US.includes(name) || name === INFO)
const exact = vectors.filter(isExact)
const refusals = vectors.filter(({ name }) => name in REFUSED)
const handWritten = vectors.filter(({ name }) => name in SIGNATURE_ONLY)
const unsigned = vectors.filter(({ name }) => NOT_SIGNED_BY_US.includes(name))

/** The rule itself, without a line of ours. The server takes a query off before it looks. */
function signatureOf({ key, salt, signatureSize = 32, path }: Vector): string {
  const hmac = createHmac('sha256', Buffer.from(key, 'hex'))
    .update(Buffer.from(salt, 'hex'))
    .update(path.split('?')[0]!)
  return hmac.digest().subarray(0, signatureSize).toString('base64url')
}

/** The builder as its server is set up, but for presets, whose names the server alone knows. */
const builder = (vector: Vector) =>
  imgproxy({
    ...builderOf(vector),
    ...(vector.name === 'unknown preset -> 404' ? { presets: ['thumb', 'placeholder'] } : {}),
    // That vector asks a server of presets in the manner of any other.
    ...(vector.name === 'only-presets pr: form -> 404' ? { onlyPresets: false } : {}),
  })

test('each of the 141 recorded vectors is in exactly one class', () => {
  expect(vectors).toHaveLength(141)
  expect(new Set(vectors.map(vector => vector.name)).size).toBe(141)
  expect([exact, refusals, handWritten, unsigned].map(({ length }) => length)).toEqual([106, 14, 12, 8])
})

describe('gives exactly the signed path of', () => {
  test.each(exact)('$name', async vector => {
    const expected = ENDPOINT + vector.signedPath
    expect(builder(vector).url(vector.sourceUrl, wish(vector))).toBe(expected)
    expect(builder(vector).preset(wish(vector))(vector.sourceUrl)).toBe(expected)
    expect(builder(vector).verify(vector.signedPath)).toBe(true)
    if (vector.name === 'only-presets pr: form -> 404') return
    const twin = imgproxyAsync(builderOf(vector))
    expect(await twin.url(vector.sourceUrl, wish(vector))).toBe(expected)
    expect(await twin.verify(vector.signedPath)).toBe(true)
  })
})

describe('refuses with the reason', () => {
  test.each(refusals)('$name', async vector => {
    const reason = refused(REFUSED[vector.name]!)
    expect(() => builder(vector).url(vector.sourceUrl, wish(vector))).toThrow(reason)
  })
})

describe('signs as the server does', () => {
  test.each(handWritten)('$name', vector => {
    const images = builder({ ...vector, sourceAs: 'plain' })
    expect(vector.signedPath).toBe(`/${signatureOf(vector)}${vector.path}`)
    expect(images.verify(vector.signedPath)).toBe(true)
    expect(images.verify(vector.signedPath.replace('/', '/A'))).toBe(false)
    const { wish, refusal } = SIGNATURE_ONLY[vector.name]!
    if (refusal !== undefined)
      expect(() => images.url('http://127.0.0.1/photo.jpg', wish)).toThrow(refused(refusal))
  })
})

describe('builds the path, and does not take the word before it for a signature', () => {
  test.each(unsigned)('$name', vector => {
    const url = builder(vector).url(vector.sourceUrl, wish(vector))
    expect(url).toBe(`${ENDPOINT}/${signatureOf(vector)}${vector.path}`)
    expect(vector.signedPath.endsWith(vector.path)).toBe(true)
    expect(builder(vector).verify(vector.signedPath)).toBe(false)
  })
})

test('takes no path of the Pro endpoint /info for one of its own', () => {
  const vector = vectors.find(({ name }) => name === INFO)!
  expect(builder(vector).verify(vector.signedPath)).toBe(false)
})

describe('a presigned source', () => {
  const presigned = exact.filter(({ sourceUrl }) => sourceUrl.includes('X-Amz-Signature'))

  test.each(presigned)('is refused without allowSignedSource: $name', vector => {
    const images = imgproxy({ ...builderOf(vector), allowSignedSource: false })
    expect(() => images.url(vector.sourceUrl, wish(vector))).toThrow(refused(/the source is a signed URL/))
  })

  test('there are ten of them', () => {
    expect(presigned).toHaveLength(10)
  })
})

test('the encrypted source is refused by a builder for the open-source server', () => {
  const vector = vectors.find(({ sourceAs }) => sourceAs === 'encrypted')!
  expect(() => imgproxy({ ...builderOf(vector), edition: 'open-source' } as never)).toThrow(
    refused(/encrypted sources are an option of imgproxy Pro/),
  )
})
