import { expect, test } from 'vitest'
import type { SignedUpload } from '../../../src/core/results.ts'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { newBucket } from './bucket.ts'

function post(upload: SignedUpload, text: string, changes: Record<string, string> = {}): Promise<Response> {
  if (upload.method !== 'POST') throw new Error('no form')
  const form = new FormData()
  for (const [name, value] of Object.entries({ ...upload.fields, ...changes })) form.append(name, value)
  form.append('file', new Blob([text]))
  return fetch(upload.url, { method: 'POST', body: form })
}

describeOnS3Servers('s3 signing', server => {
  test('a GET URL serves the bytes under the name to save them by, and is bound to method, key and name', async () => {
    const files = (await newBucket(server)).files()
    await files.upload('a/ü.txt', 'bytes')
    await files.upload('b', 'other')
    const { url } = await files.signedUrl('a/ü.txt', { expiresIn: 60, download: 'Ärger "1".txt' })
    const answer = await fetch(url)
    expect(await answer.text()).toBe('bytes')
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="_rger _1_.txt"; filename*=UTF-8''%C3%84rger%20%221%22.txt`,
    )
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(403)
    expect((await fetch(url.replace('/a/%C3%BC.txt', '/b'))).status).toBe(403)
    expect((await fetch(url.replace('rger', 'rgex'))).status).toBe(403)
    expect((await fetch(url.replace(/\?.*/, ''))).status).toBe(403)
  })

  test('a PUT URL takes only the type that was signed', async () => {
    const files = (await newBucket(server)).files()
    const { url, headers } = await files.signedUrl('a', {
      expiresIn: 60,
      method: 'PUT',
      contentType: 'image/png',
    })
    expect(
      (await fetch(url, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/html' } })).status,
    ).toBe(403)
    expect((await fetch(url, { method: 'PUT', body: 'x', headers })).status).toBe(200)
    expect(await files.info('a')).toMatchObject({ contentType: 'image/png' })
  })

  test('a PUT URL carries no checksum of an empty body', async () => {
    const files = (await newBucket(server)).files()
    const { url } = await files.signedUrl('a', { expiresIn: 60, method: 'PUT' })
    expect(url.toLowerCase()).not.toContain('checksum')
  })

  test('HEAD and DELETE URLs do what they say', async () => {
    const files = (await newBucket(server)).files()
    await files.upload('a', 'bytes')
    const head = await files.signedUrl('a', { expiresIn: 60, method: 'HEAD' })
    expect((await fetch(head.url, { method: 'HEAD' })).headers.get('content-length')).toBe('5')
    const remove = await files.signedUrl('a', { expiresIn: 60, method: 'DELETE' })
    expect((await fetch(remove.url, { method: 'DELETE' })).status).toBe(204)
    expect(await files.exists('a')).toBe(false)
  })

  test('a signed upload of an exact size takes no other', async () => {
    const files = (await newBucket(server)).files()
    const { url } = await files.signedUpload('a', { expiresIn: 60, contentType: 'text/plain', size: 3 })
    const put = (body: string) =>
      fetch(url, { method: 'PUT', body, headers: { 'content-type': 'text/plain' } })
    expect((await put('abcd')).status).toBe(403)
    expect(await files.exists('a')).toBe(false)
    expect((await put('abc')).status).toBe(200)
  })

  test('a form takes at most maxSize bytes, under its key and type', async () => {
    const files = (await newBucket(server)).files()
    const upload = await files.signedUpload('ü/a', { expiresIn: 60, contentType: 'text/plain', maxSize: 3 })
    expect((await post(upload, 'abcd')).status).toBe(400)
    expect((await post(upload, 'abc', { key: 'b' })).status).toBe(403)
    expect((await post(upload, 'abc', { 'Content-Type': 'text/html' })).status).toBe(403)
    expect(await files.exists('ü/a')).toBe(false)
    expect((await post(upload, 'abc')).status).toBe(204)
    expect(await files.info('ü/a')).toMatchObject({ size: 3, contentType: 'text/plain' })
  })

  test('a URL is dead after its time', async () => {
    const { files: provider } = await newBucket(server)
    await provider().upload('a', 'bytes')
    const hourAgo = provider({ now: () => Date.now() - 3_600_000 })
    const { url, expiresAt } = await hourAgo.signedUrl('a', { expiresIn: 3000 })
    expect(expiresAt.getTime()).toBeLessThan(Date.now())
    expect((await fetch(url)).status).toBe(403)
    expect((await fetch((await hourAgo.signedUrl('a', { expiresIn: 4000 })).url)).status).toBe(200)
  })

  test('lifetimes over seven days are refused before signing', async () => {
    const files = (await newBucket(server)).files()
    const refused = { code: 'invalid-argument' }
    await expect(files.signedUrl('a', { expiresIn: 604_801 })).rejects.toMatchObject(refused)
    await expect(files.signedUpload('a', { expiresIn: 604_801 })).rejects.toMatchObject(refused)
    await expect(files.signedUpload('a', { expiresIn: 604_801, maxSize: 1 })).rejects.toMatchObject(refused)
    expect(await files.signedUrl('a', { expiresIn: 604_800 })).toMatchObject({ method: 'GET' })
  })

  test('lifetimes that outlive a temporary credential are refused, and how long it lives is said', async () => {
    const { accessKeyId, secretAccessKey } = server
    const credentials = { accessKeyId, secretAccessKey, expiration: new Date(Date.now() + 600_500) }
    const files = (await newBucket(server)).files({ credentials } as object)
    const refused = { code: 'invalid-argument', message: expect.stringMatching(/end in (600|599) seconds/) }
    await expect(files.signedUrl('a', { expiresIn: 601 })).rejects.toMatchObject(refused)
    await expect(files.signedUpload('a', { expiresIn: 601, size: 1 })).rejects.toMatchObject(refused)
    await expect(files.signedUpload('a', { expiresIn: 601, maxSize: 1 })).rejects.toMatchObject(refused)
    expect(await files.signedUrl('a', { expiresIn: 590 })).toMatchObject({ method: 'GET' })
  })

  test('many URLs are signed without a request', async () => {
    const { files } = await newBucket(server)
    const offline = files({ endpoint: 'http://127.0.0.1:9' } as object)
    const results = await offline.signedUrls(['a', 'b', '../c'], { expiresIn: 60 })
    expect(results.map(result => result.ok)).toEqual([true, true, false])
  })
})
