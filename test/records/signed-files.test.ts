import { describe, expect, it } from 'vitest'
import { forwardEngine } from '../support/forward-engine.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, recorded } from '../support/recorded.ts'

const HOUR = { expiresIn: 3600 }

describe('signedFiles', () => {
  it('tells what info, physicalKey and signedUrl tell, in the order of the keys', async () => {
    const { files } = recorded()
    await files.upload('b.jpg', 'bytes', { metadata: { width: '4' } })
    await files.upload('a.jpg', 'more bytes')
    const results = await files.signedFiles(['b.jpg', 'missing.jpg', 'a.jpg', 'b.jpg'], HOUR)
    expect(results.map(({ key, ok }) => [key, ok])).toEqual([
      ['b.jpg', true],
      ['missing.jpg', false],
      ['a.jpg', true],
      ['b.jpg', true],
    ])
    for (const result of results) {
      if (!result.ok) {
        expect(result.error).toSatisfy(hasCode('not-found'))
        continue
      }
      const { key, value } = result
      expect(value.info).toEqual(await files.info(key))
      expect(value.physicalKey).toBe(await files.physicalKey(key))
      expect(value.signedUrl).toEqual(await files.signedUrl(key, HOUR))
    }
  })

  it('asks the database once and the store for one batch of URLs, for 200 keys', async () => {
    const calls: string[] = []
    const { files } = recorded({
      through: changed(inner => ({
        signedUrls(keys, options) {
          calls.push('signedUrls')
          return inner.signedUrls(keys, options)
        },
        signedUrl: () => Promise.reject(new Error('one at a time')),
        info: () => Promise.reject(new Error('asked the store')),
      })),
      throughEngine: engine =>
        forwardEngine(engine, {
          query(statement, options) {
            calls.push('query')
            return engine.query(statement, options)
          },
        }),
    })
    const keys = Array.from({ length: 200 }, (_, at) => `${at}.jpg`)
    for (const key of keys) await files.upload(key, key)
    calls.length = 0
    const results = await files.signedFiles(keys, HOUR)
    expect(results.every(({ ok }) => ok)).toBe(true)
    expect(calls).toEqual(['query', 'signedUrls'])
  })

  it('gives each tenant its own files', async () => {
    const { files } = recorded()
    const other = files.tenant('other')
    await other.upload('a.jpg', 'bytes')
    expect((await files.signedFiles(['a.jpg'], HOUR))[0]!.ok).toBe(false)
    const [result] = await other.signedFiles(['a.jpg'], HOUR)
    expect(result?.ok && result.value.physicalKey).toMatch(/^other\//)
  })

  it('fails a key that is none alone, and refuses options that it does not know', async () => {
    const { files } = recorded()
    await files.upload('a.jpg', 'bytes')
    const results = await files.signedFiles(['a.jpg', 'a/../b'], HOUR)
    expect(results.map(result => result.ok || result.error.code)).toEqual([true, 'invalid-key'])
    await expect(files.signedFiles(['a.jpg'], { expiresIn: 1, expires: 2 } as never)).rejects.toSatisfy(
      hasCode('invalid-argument'),
    )
    await expect(files.signedFiles(['a.jpg'], { expiresIn: 0 })).rejects.toSatisfy(
      hasCode('invalid-argument'),
    )
  })

  it('is refused after the files were closed', async () => {
    const { files } = recorded()
    await files.upload('a.jpg', 'bytes')
    await files.close()
    await expect(files.signedFiles(['a.jpg'], HOUR)).rejects.toSatisfy(hasCode('invalid-argument'))
  })
})
