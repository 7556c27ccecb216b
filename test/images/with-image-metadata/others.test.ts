import { Readable } from 'node:stream'
import { beforeAll, describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { UploadBody } from '../../../src/core/body.ts'
import { type ImageMetadataOptions, withImageMetadata } from '../../../src/images/index.ts'
import { recorded } from '../../support/recorded.ts'
import { refused } from '../../support/refused.ts'
import { picture } from '../describe/sample-files.ts'

const TEXT = Buffer.from('<script>alert(1)</script>')
let photo: Buffer

beforeAll(async () => {
  photo = await picture(120, 80).jpeg().toBuffer()
})

const KINDS: Record<string, (bytes: Buffer) => UploadBody> = {
  text: bytes => bytes.toString('latin1'),
  bytes: bytes => bytes,
  'a Blob': bytes => new Blob([Uint8Array.from(bytes)]),
  'a Node stream': bytes => Readable.from([bytes]),
  'an iterable': async function* (bytes) {
    yield bytes
  },
}

const REFUSED = {
  code: 'invalid-argument',
  retryable: false,
  cause: { code: 'invalid-argument', operation: 'describe' },
}

describe('withImageMetadata with others refused', () => {
  it.each(Object.keys(KINDS))('stores nothing of %s that is no image', async kind => {
    for (const bytes of [TEXT, Buffer.alloc(0)]) {
      const store = memory()
      const files = withImageMetadata(store, { others: 'refuse' })
      await expect(files.upload('a.jpg', KINDS[kind]!(bytes))).rejects.toMatchObject({
        ...REFUSED,
        operation: 'upload',
        key: 'a.jpg',
      })
      expect(await store.exists('a.jpg')).toBe(false)
    }
  })

  it('stores images, and one that can not be described as onProblem says', async () => {
    const files = withImageMetadata(memory(), { others: 'refuse', maxPixels: 10 })
    for (const kind of ['bytes', 'a Blob', 'a Node stream', 'an iterable'])
      expect((await files.upload(kind, KINDS[kind]!(photo))).size).toBe(photo.length)
  })

  it('refuses a stream that somebody has begun to read', async () => {
    const files = withImageMetadata(memory(), { others: 'refuse' })
    const stream = Readable.from([photo, TEXT])
    for await (const _ of stream) break
    await expect(files.upload('a.jpg', stream)).rejects.toMatchObject({ code: 'invalid-argument' })
    expect(await files.exists('a.jpg')).toBe(false)
  })

  it('still refuses a body that is none in the words of every upload', async () => {
    const files = withImageMetadata(memory(), { others: 'refuse' })
    await expect(files.upload('a.jpg', 5 as never)).rejects.toThrow(refused(/the body must be/))
  })

  it('publishes nothing of what a browser has sent, whatever type it names', async () => {
    const { store, files: bare } = recorded()
    const files = withImageMetadata(bare, { others: 'refuse' })
    const signed = await files.signedUpload('a.jpg', { expiresIn: 60 })
    const staged = decodeURIComponent(new URL(signed.url).pathname.replace('/files/', ''))
    await store.upload(staged, TEXT, { contentType: 'image/jpeg' })
    for (const operation of ['finalize', 'prepareFinalize'] as const)
      await expect(files[operation](signed.uploadId!)).rejects.toMatchObject({
        ...REFUSED,
        operation,
        key: 'a.jpg',
      })
    expect(await files.exists('a.jpg')).toBe(false)
    // The URL still holds: what comes next may be an image.
    await store.upload(staged, photo, { contentType: 'image/jpeg' })
    expect((await files.finalize(signed.uploadId!)).metadata).toMatchObject({ width: '120', height: '80' })
    await expect(files.tenant('ana').upload('b.jpg', TEXT)).rejects.toMatchObject(REFUSED)
    await expect(files.prepareUpload('b.jpg', TEXT)).rejects.toMatchObject(REFUSED)
  })

  it('is upload or refuse', () => {
    const bad = { others: 'ignore' } as never as ImageMetadataOptions
    expect(() => withImageMetadata(memory(), bad)).toThrow(refused(/others must be 'upload' or 'refuse'/))
  })
})
