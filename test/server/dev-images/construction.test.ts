import { afterEach, describe, expect, it, vi } from 'vitest'
import { type DevImagesOptions, devImages } from '../../../src/server/index.ts'
import { KEY, SALT } from './signed-urls.ts'

const signing = { key: KEY, salt: SALT }

describe('devImages', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('is not made in production, unless told so', () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => devImages(signing)).toThrow(/for development.*run imgproxy/)
    expect(() => devImages({ ...signing, allowInProduction: true })).not.toThrow()
    vi.stubEnv('NODE_ENV', 'development')
    expect(() => devImages(signing)).not.toThrow()
  })

  it.each<[string, DevImagesOptions, RegExp]>([
    ['no key', {}, /key is missing/],
    ['a key that is no hex', { ...signing, key: 'zz' }, /key must be hex/],
    ['an odd key', { ...signing, key: 'abc' }, /key must be hex/],
    ['an empty salt', { ...signing, salt: '' }, /salt must be hex/],
    ['keys without their salts', { key: [KEY, KEY], salt: SALT }, /go in pairs/],
    ['a key and unsigned', { ...signing, unsigned: true }, /either unsigned or key and salt/],
    ['a signature of no bytes', { ...signing, signatureSize: 0 }, /signatureSize/],
    ['a signature longer than there is', { ...signing, signatureSize: 33 }, /signatureSize/],
    ['an empty word that is trusted', { ...signing, trustedSignatures: [''] }, /trustedSignatures/],
    ['an origin with a path', { ...signing, origins: ['http://a.example/b'] }, /origins/],
    ['an origin of all', { ...signing, origins: ['*'] }, /origins/],
    ['a preset of no options', { ...signing, presets: { thumb: 'small' } }, /preset 'thumb'/],
    ['no pixels', { ...signing, maxPixels: 0 }, /maxPixels/],
    ['an option it does not know', { ...signing, quality: 80 } as DevImagesOptions, /unknown option/],
    ['what is no provider', { ...signing, local: {} as never }, /provider/],
  ])('refuses %s', (_, options, problem) => {
    expect(() => devImages(options)).toThrow(problem)
    expect(() => devImages(options)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })

  it('repeats no key in a message', () => {
    const secret = 'not-hex-but-secret'
    expect(() => devImages({ key: secret, salt: SALT })).not.toThrow(secret)
  })
})
