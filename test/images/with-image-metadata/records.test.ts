import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ObjectInfo } from '../../../src/core/provider.ts'
import {
  describe as describeImage,
  type ImageMetadataOptions,
  imageMetadata,
  readImageMetadata,
  type UndescribedImage,
  withImageMetadata,
} from '../../../src/images/index.ts'
import { type RecordedFiles, withRecords } from '../../../src/records/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { changed, recorded } from '../../support/recorded.ts'
import { refused } from '../../support/refused.ts'
import { noise, picture } from '../describe/sample-files.ts'

let photo: Buffer
let other: Buffer
let expected: Record<string, string>

beforeAll(async () => {
  photo = await picture(120, 80).withMetadata({ orientation: 6 }).jpeg().toBuffer()
  other = await sharp(noise(64 * 64 * 3), { raw: { width: 64, height: 64, channels: 3 } })
    .jpeg()
    .toBuffer()
  expected = imageMetadata(await describeImage(photo))
})

function world(options: ImageMetadataOptions = {}, through?: Parameters<typeof recorded>[0]) {
  const told: UndescribedImage[] = []
  const around = (files: RecordedFiles) =>
    withImageMetadata(files, { onUndescribed: problem => told.push(problem), ...options })
  const inner = recorded(through)
  return { ...inner, bare: inner.files, files: around(inner.files), told }
}

/** What a browser does: the bytes go to the key in the URL, with what it says of them. */
async function send(
  { store }: { store: ReturnType<typeof recorded>['store'] },
  url: string,
  body: Uint8Array,
  metadata?: Record<string, string>,
) {
  const key = decodeURIComponent(new URL(url).pathname.replace('/files/', ''))
  await store.upload(key, body, { contentType: 'image/jpeg', metadata })
}

describe('withImageMetadata around records', () => {
  it('keeps what records have: the metadata is in the record, and can be found', async () => {
    const { files } = world()
    expect(files.capabilities.layers).toEqual(['withImageMetadata', 'records'])
    await files.upload('a.jpg', photo, { metadata: { album: 'summer' } })
    await files.upload('b.jpg', other)
    const found: string[] = []
    for await (const entry of files.find({ metadata: { album: 'summer', width: '80' } }))
      if (entry.kind === 'object') found.push(entry.key)
    expect(found).toEqual(['a.jpg'])
    expect(readImageMetadata(await files.info('a.jpg'))).toMatchObject({ width: 80, height: 120 })
    expect(await files.physicalKey('a.jpg')).toMatch(/^default\/a\./)
    expect(files.tenantId).toBe('default')
  })

  it('keeps it through copy and move, and the rows of the caller in the same batch', async () => {
    const { files, engine, rows } = world()
    await engine.batch([['CREATE TABLE photos (key TEXT)']])
    await files.upload('a.jpg', photo, { also: [['INSERT INTO photos VALUES (?)', 'a.jpg']] })
    expect(await rows('SELECT key FROM photos')).toHaveLength(1)
    await files.copy('a.jpg', 'b.jpg')
    await files.move('b.jpg', 'c.jpg')
    expect((await files.info('c.jpg')).metadata).toEqual(expected)
  })

  it('describes in both halves of an upload, and in every tenant', async () => {
    const { files } = world()
    const acme = files.tenant('acme').tenant('acme')
    const prepared = await acme.prepareUpload('a.jpg', photo)
    expect((await acme.publish(prepared)).metadata).toEqual(expected)
    expect(acme.capabilities.layers).toEqual(['withImageMetadata', 'records'])
  })

  it('describes what a browser has sent, whatever the browser says of it', async () => {
    const { files, ...rest } = world()
    const signed = await files.signedUpload('a.jpg', { expiresIn: 60 })
    await send(rest, signed.url, photo, { width: '1', blurhash: 'fake', alpha: 'true', camera: 'mine' })
    const info = await files.finalize(signed.uploadId!, { metadata: { album: 'summer' } })
    expect(info.metadata).toEqual({ ...expected, camera: 'mine', album: 'summer' })
    expect((await files.finalize(signed.uploadId!)).etag).toBe(info.etag)
    const again = await files.signedUpload('b.jpg', { expiresIn: 60 })
    await send(rest, again.url, photo)
    const prepared = await files.prepareFinalize(again.uploadId!)
    expect((await files.publish(prepared)).metadata).toEqual(expected)
  })

  it('takes no word of a browser for an image where it sent none', async () => {
    const { files, ...rest } = world()
    const signed = await files.signedUpload('a.jpg', { expiresIn: 60 })
    await send(rest, signed.url, Buffer.from('a text'), { width: '1', blurhash: 'fake', camera: 'mine' })
    expect((await files.finalize(signed.uploadId!)).metadata).toEqual({ camera: 'mine' })
  })

  it('takes the names that the backend gives for those of the browser, whatever their case', async () => {
    const { files, ...rest } = world()
    const signed = await files.signedUpload('a.jpg', { expiresIn: 60 })
    await send(rest, signed.url, photo, { camera: 'theirs' })
    const info = await files.finalize(signed.uploadId!, { metadata: { Camera: 'mine', Width: '7' } })
    expect(info.metadata).toEqual({ ...expected, camera: 'mine', width: '7' })
  })

  it('refuses metadata that is none as every call does', async () => {
    const { files, ...rest } = world()
    const signed = await files.signedUpload('a.jpg', { expiresIn: 60 })
    await send(rest, signed.url, photo)
    for (const metadata of [{ 'not a name': '' }, { a: 5 }, 'text'] as never[])
      for (const call of ['finalize', 'prepareFinalize'] as const)
        await expect(files[call](signed.uploadId!, { metadata })).rejects.toMatchObject({
          code: 'invalid-argument',
          operation: call,
        })
  })

  it('makes a file of an image that can not be described, or refuses it, as it is told to', async () => {
    const lenient = world({ maxPixels: 10 })
    const signed = await lenient.files.signedUpload('a.jpg', { expiresIn: 60 })
    await send(lenient, signed.url, photo)
    expect((await lenient.files.finalize(signed.uploadId!)).metadata).toEqual({})
    expect(lenient.told).toMatchObject([
      { operation: 'finalize', key: 'a.jpg', error: { code: 'too-large' } },
    ])

    const strict = world({ maxPixels: 10, onProblem: 'refuse' })
    const upload = await strict.files.signedUpload('a.jpg', { expiresIn: 60 })
    await send(strict, upload.url, photo)
    await expect(strict.files.finalize(upload.uploadId!)).rejects.toMatchObject({
      code: 'too-large',
      operation: 'finalize',
      key: 'a.jpg',
    })
    expect(await strict.files.exists('a.jpg')).toBe(false)
    expect(await strict.files.jobs()).toHaveLength(1)
    // What was sent is still there: a program that is more lenient can take it.
    expect((await strict.bare.finalize(upload.uploadId!)).size).toBe(photo.length)
  })

  it('goes around records, not below them, where nobody would see what it adds', () => {
    const { store, engine } = world()
    expect(() => withRecords(withImageMetadata(store), engine)).toThrow(refused(/goes around it/))
  })

  it('refuses an inspection beside its own', async () => {
    const { files } = world()
    await expect(files.finalize('x', { inspect: async () => ({}) })).rejects.toThrow(refused(/inspects/))
  })
})

describe('finalize with inspect', () => {
  it('gives the bytes that were sent, and what it returns stands between what was sent and what is given', async () => {
    const world = recorded()
    const signed = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await send(world, signed.url, Buffer.from('bytes'), { a: 'sent', b: 'sent' })
    const info = await world.files.finalize(signed.uploadId!, {
      metadata: { c: 'given' },
      async inspect(sent, { key }) {
        const seen = await sent.text()
        return { contentType: 'text/x-seen', metadata: { b: seen, c: key } }
      },
    })
    expect(info).toMatchObject({ contentType: 'text/x-seen', metadata: { b: 'bytes', c: 'given' } })
  })

  it('need not read anything, and changes nothing where it returns nothing', async () => {
    const world = recorded()
    const signed = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await send(world, signed.url, Buffer.from('bytes'), { a: 'sent' })
    const info = await world.files.finalize(signed.uploadId!, { inspect: async () => ({}) })
    expect(info).toMatchObject({ contentType: 'image/jpeg', metadata: { a: 'sent' } })
  })

  it.each([
    ['before it looks', 'info'],
    ['after it has looked', 'copy'],
  ] as const)('publishes nothing where other bytes are sent %s', async (_, moment) => {
    for (const conditions of [true, false]) {
      const world = recorded({
        through: changed(inner => {
          const again = (key: string) => inner.upload(key, 'other bytes')
          return {
            get capabilities() {
              return { ...inner.capabilities, conditionalCopySource: conditions }
            },
            async info(key, options) {
              const info = await inner.info(key, options)
              if (moment === 'info' && key.includes('staging')) await again(key)
              return info
            },
            async copy(from, to, options) {
              if (moment === 'copy') await again(from)
              return inner.copy(from, to, options)
            },
          }
        }),
      })
      const signed = await world.files.signedUpload('a.txt', { expiresIn: 60 })
      await send(world, signed.url, Buffer.from('bytes'))
      let seen: string | undefined
      const inspect = async (sent: { text(): Promise<string> }) => {
        seen = await sent.text()
        return {}
      }
      await expect(world.files.finalize(signed.uploadId!, { inspect })).rejects.toBeInstanceOf(Error)
      expect(seen).toBe(moment === 'info' ? undefined : 'bytes')
      expect(await world.files.exists('a.txt')).toBe(false)
    }
  })

  it('publishes nothing where other bytes were there only while they were copied', async () => {
    const world: ReturnType<typeof recorded> = recorded({
      through: changed(inner => ({
        // As Supabase does it: no condition on the source, and the same bytes have the same etag.
        get capabilities() {
          return { ...inner.capabilities, conditionalCopySource: false }
        },
        info: async (key, options) => withoutGeneration(await inner.info(key, options)),
        async download(key, options) {
          const sent = await inner.download(key, options)
          return sent.through(source => source, undefined, withoutGeneration(sent.info))
        },
        async copy(from, to, options) {
          await inner.upload(from, 'other', { contentType: 'image/jpeg' })
          const info = await inner.copy(from, to, options)
          world.advance(5)
          await inner.upload(from, 'bytes', { contentType: 'image/jpeg' })
          return info
        },
      })),
    })
    const signed = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await send(world, signed.url, Buffer.from('bytes'))
    const inspect = async (sent: { text(): Promise<string> }) => ({ metadata: { seen: await sent.text() } })
    await expect(world.files.finalize(signed.uploadId!, { inspect })).rejects.toSatisfy(hasCode('conflict'))
    expect(await world.files.exists('a.txt')).toBe(false)
  })

  it('ends with what it throws, and writes no intent', async () => {
    const world = recorded()
    const signed = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await send(world, signed.url, Buffer.from('bytes'))
    const inspect = async () => ({ metadata: { 'no name': '' } })
    await expect(world.files.finalize(signed.uploadId!, { inspect })).rejects.toSatisfy(
      hasCode('invalid-argument'),
    )
    expect((await world.files.jobs()).map(job => job.kind)).toEqual(['staged'])
    await expect(world.files.finalize(signed.uploadId!, { inspect: 'no' as never })).rejects.toThrow(
      refused(/inspect/),
    )
  })
})

function withoutGeneration(info: ObjectInfo): ObjectInfo {
  return { ...info, etag: info.etag?.split('-')[0] }
}
