import { describe, expect, it } from 'vitest'
import { type SupabaseOptions, supabase } from '../../../src/adapters/supabase/index.ts'
import { isStorageError } from '../../../src/core/errors.ts'

const good = { bucket: 'b', url: 'https://abc.supabase.co', key: 'a-key-of-the-tests' }

function refusal(options: unknown): string {
  try {
    supabase(options as SupabaseOptions)
  } catch (error) {
    if (isStorageError(error, 'invalid-argument')) return error.message
    throw error
  }
  throw new Error('was taken')
}

describe('the options of supabase()', () => {
  it.each([
    [undefined, 'options must be an object'],
    [{ ...good, buckt: 'x' }, "unknown option 'buckt'"],
    [{ ...good, chunkSizeBytes: '6' }, 'chunkSizeBytes must be a number'],
    [{ ...good, bucket: '' }, 'bucket must be'],
    [{ ...good, bucket: 'a/b' }, 'bucket must be'],
    [{ ...good, url: undefined }, 'needs a client, or url and key'],
    [{ ...good, key: undefined }, 'needs a client, or url and key'],
    [{ ...good, key: 'two words' }, 'key must be'],
    [{ ...good, url: 'abc.supabase.co' }, 'url must be'],
    [{ ...good, url: 'ftp://abc.supabase.co' }, 'url must begin'],
    [{ ...good, url: 'https://user:pass@abc.supabase.co' }, 'url must hold no credentials'],
    [{ ...good, fetch: 'fetch' }, 'fetch must be a function'],
    [{ ...good, client: {} }, 'not both'],
    [{ bucket: 'b', client: {} }, 'client must be a SupabaseClient'],
    [{ ...good, keyEncoding: 'base64' }, 'keyEncoding must be'],
    [{ ...good, resumableThresholdBytes: -1 }, 'resumableThresholdBytes must be'],
    [{ ...good, chunkSizeBytes: 0 }, 'chunkSizeBytes must be'],
    [{ ...good, requestTimeoutMs: 1.5 }, 'requestTimeoutMs must be'],
  ])('refuses %j', (options, said) => {
    expect(refusal(options)).toContain(said)
  })

  it('never puts the key into a refusal', () => {
    for (const wrong of [{ url: 'no url' }, { bucket: '' }, { nonsense: true }])
      expect(refusal({ ...good, ...wrong })).not.toContain(good.key)
  })

  it.each([
    ['https://abc.supabase.co', 'https://abc.supabase.co/storage/v1/object/public/b/a%20b.txt'],
    ['https://abc.supabase.co/', 'https://abc.supabase.co/storage/v1/object/public/b/a%20b.txt'],
    ['https://abc.supabase.co/storage/v1/', 'https://abc.supabase.co/storage/v1/object/public/b/a%20b.txt'],
    ['http://127.0.0.1:1/base', 'http://127.0.0.1:1/base/storage/v1/object/public/b/a%20b.txt'],
  ])('finds the storage API of %s', (url, address) => {
    expect(supabase({ ...good, url }).publicUrl('a b.txt')).toBe(address)
  })
})
