import { describe, expect, it } from 'vitest'
import { underTest } from './under-test.ts'

const host = underTest()

describe('signed URLs', () => {
  it('of many keys cost one request, with an error for each that is missing', async () => {
    const bucket = await host.bucket()
    const keys = ['a b.txt', 'missing.txt', "it's (1)+&=.txt", 'a b.txt']
    await Promise.all(
      ['a b.txt', "it's (1)+&=.txt"].map(key => host.put(bucket, encodeURIComponent(key), key)),
    )
    const { files, sent } = host.recorded(bucket)
    const results = await files.signedUrls(keys, { expiresIn: 60 })
    expect(sent).toHaveLength(1)
    expect(results.map(({ key, ok }) => [key, ok])).toEqual([
      ['a b.txt', true],
      ['missing.txt', false],
      ["it's (1)+&=.txt", true],
      ['a b.txt', true],
    ])
    expect(results[1]).toMatchObject({ error: { code: 'not-found', key: 'missing.txt' } })
    for (const result of results) {
      if (!result.ok) continue
      expect(await (await fetch(result.value.url)).text()).toBe(result.key)
      const left = result.value.expiresAt.getTime() - Date.now()
      expect(left).toBeGreaterThan(50_000)
      expect(left).toBeLessThanOrEqual(62_000)
    }
  })

  it('save under the name that was given, encoded once, or under the key’s own', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket, { keyEncoding: 'escape' })
    await files.upload('ordner/Übersicht #1.pdf', 'x')
    const named = async (download: string | true) => {
      const { url } = await files.signedUrl('ordner/Übersicht #1.pdf', { expiresIn: 60, download })
      return (await fetch(url)).headers.get('content-disposition')
    }
    expect(await named('Prüfung & co.pdf')).toContain(
      `filename*=UTF-8''${encodeURIComponent('Prüfung & co.pdf')}`,
    )
    expect(await named(true)).toContain(`filename*=UTF-8''${encodeURIComponent('Übersicht #1.pdf')}`)
  })

  it('are not made for a bucket that does not exist', async () => {
    const files = host.open('no-such-bucket')
    const missing = { code: 'not-found', resource: 'bucket' }
    await expect(files.signedUrl('a', { expiresIn: 60 })).rejects.toMatchObject(missing)
    await expect(files.signedUpload('a', {})).rejects.toMatchObject(missing)
  })
})

describe('a signed upload', () => {
  it('stores what a browser sends, says when it ends, and replaces', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket, { keyEncoding: 'escape' })
    const signed = await files.signedUpload('é/a#b.txt', {})
    expect(signed.method).toBe('PUT')
    expect(signed.expiresAt.getTime()).toBeGreaterThan(Date.now() + 3_600_000)
    for (const body of ['first', 'second']) {
      const headers = { 'content-type': 'text/plain' }
      const answer = await fetch(signed.url, { method: 'PUT', body, headers })
      expect(answer.status).toBe(200)
      expect(await (await files.download('é/a#b.txt')).text()).toBe(body)
    }
  })
})
