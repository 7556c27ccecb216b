import { describe, expect, it, vi } from 'vitest'
import { memoryCache, redisCache } from '../../src/cache/index.ts'
import type { SignedUrlCache } from '../../src/cache/signed-url-cache.ts'
import { type ErrorCode, StorageError } from '../../src/core/errors.ts'
import { Clock, HOUR, Signer } from './stack.ts'

// The real loader, to which ioredis is what Node says of a package that is not installed.
vi.mock('../../src/core/peer.ts', async original => {
  const { loadPeer } = await original<typeof import('../../src/core/peer.ts')>()
  const missing = Object.assign(new Error("Cannot find package 'ioredis'"), { code: 'ERR_MODULE_NOT_FOUND' })
  return {
    loadPeer: (_: unknown, neededBy: string, install: string) =>
      loadPeer(() => Promise.reject(missing), neededBy, install),
  }
})

const sentence = {
  code: 'unsupported',
  message: 'redisCache needs packages that are not installed; run: npm install ioredis',
}

describe('redisCache without ioredis', () => {
  it('says so from connect() and from each URL that is asked for', async () => {
    const cache = redisCache({ url: 'redis://127.0.0.1:1' })
    await expect(cache.connect()).rejects.toMatchObject(sentence)
    const files = new Signer().cached({ cache })
    await expect(files.signedUrl('a')).rejects.toMatchObject(sentence)
    await expect(files.signedUrls(['a', 'b'])).rejects.toMatchObject(sentence)
    await expect(files.signedUrl('a')).rejects.toMatchObject(sentence)
  })

  it('costs no upload and no delete its success', async () => {
    const failures: unknown[] = []
    const cache = redisCache({ url: 'redis://127.0.0.1:1' })
    const files = new Signer().cached({ cache, onError: error => failures.push(error) })
    await files.upload('a', '1')
    await files.copy('a', 'b')
    await files.move('b', 'c')
    expect((await files.deleteMany(['a'])).map(({ status }) => status)).toEqual(['deleted'])
    await files.delete('c')
    expect(await files.exists('c')).toBe(false)
    await files.close()
    expect(failures.length).toBeGreaterThan(4)
    for (const failure of failures) expect(failure).toMatchObject(sentence)
  })
})

describe('a cache that fails', () => {
  /** A memory cache of which one method fails. */
  function failing(method: keyof SignedUrlCache, code: ErrorCode, clock: Clock): SignedUrlCache {
    const cache = memoryCache({ now: clock.now })
    const fail = () => Promise.reject(new StorageError(code, `cannot ${method}`))
    return {
      getMany: keys => (method === 'getMany' ? fail() : cache.getMany(keys)),
      setMany: entries => (method === 'setMany' ? fail() : cache.setMany(entries)),
      deleteMany: keys => (method === 'deleteMany' ? fail() : cache.deleteMany(keys)),
    }
  }

  it.each(['getMany', 'setMany'] as const)('with unsupported in %s fails who asks for URLs', async method => {
    const clock = new Clock()
    const failures: unknown[] = []
    const cache = failing(method, 'unsupported', clock)
    const files = new Signer(clock).cached({ cache, onError: error => failures.push(error) })
    const failure = { code: 'unsupported', message: `cannot ${method}` }
    await expect(files.signedUrl('a')).rejects.toMatchObject(failure)
    await expect(files.signedUrls(['a', 'b'])).rejects.toMatchObject(failure)
    expect(failures).toMatchObject([failure, failure])
    // What is not kept asks no cache.
    expect(await files.signedUrl('a', { expiresIn: HOUR })).toMatchObject({ method: 'GET' })
  })

  it.each<[keyof SignedUrlCache, ErrorCode]>([
    ['getMany', 'unavailable'],
    ['getMany', 'internal'],
    ['getMany', 'invalid-argument'],
    ['getMany', 'permission-denied'],
    ['setMany', 'unavailable'],
    ['deleteMany', 'unsupported'],
  ])('with anything else, as in %s with %s, fails nobody', async (method, code) => {
    const clock = new Clock()
    const files = new Signer(clock).cached({ cache: failing(method, code, clock) })
    await files.upload('a', '1')
    expect(await files.signedUrl('a')).toMatchObject({ method: 'GET' })
    expect(await files.signedUrls(['a', 'b'])).toMatchObject([{ ok: true }, { ok: true }])
    await files.close()
  })
})
