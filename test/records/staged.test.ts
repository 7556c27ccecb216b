import { describe, expect, it } from 'vitest'
import type { StorageError } from '../../src/core/errors.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, recorded } from '../support/recorded.ts'

/** What a browser does: the bytes go to the key in the URL. */
async function send(world: ReturnType<typeof recorded>, url: string, body: string, contentType?: string) {
  const key = decodeURIComponent(new URL(url).pathname.replace('/files/', ''))
  await world.store.upload(key, body, contentType === undefined ? {} : { contentType })
}

describe('signed uploads with records', () => {
  it('land in staging, and are a file when the backend has finalized them, under a key never handed out', async () => {
    const world = recorded({ tenant: 'acme' })
    const signed = await world.files.signedUpload('a/photo.jpg', { expiresIn: 60, contentType: 'image/jpeg' })
    expect(new URL(signed.url).pathname).toBe(`/files/acme/.stowage/staging/${signed.uploadId}`)
    await send(world, signed.url, 'bytes', 'image/jpeg')
    expect(await world.files.exists('a/photo.jpg')).toBe(false)
    const info = await world.files.finalize(signed.uploadId!, { metadata: { by: 'me' } })
    expect(info).toMatchObject({
      key: 'a/photo.jpg',
      size: 5,
      contentType: 'image/jpeg',
      metadata: { by: 'me' },
    })
    expect(await world.files.physicalKey('a/photo.jpg')).toBe(`acme/a/photo.${info.etag}.jpg`)
  })

  it('gives the same file for the same upload, however often it is finalized', async () => {
    const world = recorded()
    const { url, uploadId } = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await send(world, url, 'bytes')
    const first = await world.files.finalize(uploadId!)
    expect((await world.files.finalize(uploadId!)).etag).toBe(first.etag)
    const both = await recordedTwice()
    expect(both[0]).toBe(both[1])
    await world.files.upload('a.txt', 'newer')
    await expect(world.files.finalize(uploadId!)).rejects.toSatisfy(hasCode('conflict'))

    async function recordedTwice() {
      const again = await world.files.signedUpload('b.txt', { expiresIn: 60 })
      await send(world, again.url, 'bytes')
      const results = await Promise.all([
        world.files.finalize(again.uploadId!),
        world.another().finalize(again.uploadId!),
      ])
      return results.map(result => result.etag)
    }
  })

  it('publishes what was checked, not what is sent to the URL afterwards', async () => {
    const world = recorded({
      through: changed(inner => ({
        async info(key, options) {
          const info = await inner.info(key, options)
          if (key.includes('staging')) await inner.upload(key, 'something else')
          return info
        },
      })),
    })
    const { url, uploadId } = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await send(world, url, 'bytes')
    await expect(world.files.finalize(uploadId!)).rejects.toBeInstanceOf(Error)
    expect(await world.files.exists('a.txt')).toBe(false)
  })

  it('publishes nothing else either where the store keeps no condition on a copy', async () => {
    const world = recorded({
      through: changed(inner => ({
        get capabilities() {
          return { ...inner.capabilities, conditionalCopySource: false as const }
        },
        async copy(from, to, options) {
          await inner.upload(from, 'other')
          return inner.copy(from, to, options)
        },
      })),
    })
    const { url, uploadId } = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await send(world, url, 'bytes')
    await expect(world.files.finalize(uploadId!)).rejects.toSatisfy(hasCode('conflict'))
    expect(await world.files.exists('a.txt')).toBe(false)
  })

  it('refuses what is not what was signed for', async () => {
    const world = recorded()
    const code = async (options: object, body: string | undefined, type?: string, finalize = {}) => {
      const { url, uploadId } = await world.files.signedUpload('a.txt', { expiresIn: 60, ...options })
      if (body !== undefined) await send(world, url, body, type)
      return world.files.finalize(uploadId!, finalize).then(
        () => 'finalized',
        (error: StorageError) => error.code,
      )
    }
    expect(await code({}, undefined)).toBe('not-found')
    expect(await code({ size: 3 }, 'four')).toBe('invalid-argument')
    expect(await code({ maxSize: 3 }, 'four')).toBe('too-large')
    expect(await code({ contentType: 'image/png' }, 'x', 'text/html')).toBe('invalid-argument')
    expect(await code({}, 'x', undefined, { checksum: { algorithm: 'md5', value: '0'.repeat(32) } })).toBe(
      'checksum-mismatch',
    )
    expect(await code({}, 'x', undefined, { checksum: 'sha256' })).toBe('finalized')
    expect(await world.files.info('a.txt')).toMatchObject({ checksum: { algorithm: 'sha256' } })
    expect(await code({}, 'x', undefined, { ifNoneMatch: '*' })).toBe('already-exists')
    await expect(world.files.finalize('no-such-upload')).rejects.toSatisfy(hasCode('not-found'))
    await expect(world.files.finalize(7 as never)).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it('sweeps staging after the URL’s end and a slack, and once more for what arrives late', async () => {
    const world = recorded({ lateMs: 3_600_000 })
    const { url, uploadId } = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await send(world, url, 'bytes')
    world.advance(60_000 + 14 * 60_000)
    await world.files.recover()
    expect(await world.stored()).toHaveLength(1)
    world.advance(2 * 60_000)
    await world.files.recover()
    expect(await world.stored()).toEqual([])
    await expect(world.files.finalize(uploadId!)).rejects.toSatisfy(hasCode('not-found'))
    await send(world, url, 'late')
    world.advance(3_601_000)
    await world.files.recover()
    expect(await world.stored()).toEqual([])
    expect(await world.files.jobs()).toEqual([])
  })
})
