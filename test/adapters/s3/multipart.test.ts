import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { bytesOf, newBucket, streamOf } from './bucket.ts'

const MIB = 2 ** 20
const PARTS = { partSizeBytes: 5 * MIB, multipartThresholdBytes: 5 * MIB, uploadConcurrency: 2 }
const SIZE = 12 * MIB + 1

describeOnS3Servers('s3 multipart', server => {
  test('a stream of unknown length goes in parts, byte for byte', async () => {
    const files = (await newBucket(server)).files(PARTS)
    const info = await files.upload('a', streamOf(SIZE), { contentType: 'image/png', metadata: { x: 'é' } })
    expect(info).toMatchObject({ size: SIZE, etag: expect.stringMatching(/-3$/) })
    expect(await files.info('a')).toMatchObject({
      size: SIZE,
      etag: info.etag,
      contentType: 'image/png',
      metadata: { x: 'é' },
    })
    const stored = await (await files.download('a')).bytes()
    expect(Buffer.compare(stored, bytesOf(SIZE))).toBe(0)
  })

  test('a stream that ends within the first part is one request', async () => {
    const files = (await newBucket(server)).files(PARTS)
    for (const size of [0, 1, 5 * MIB]) {
      const { etag } = await files.upload('a', streamOf(size))
      expect(etag).toBe(createHash('md5').update(bytesOf(size)).digest('hex'))
    }
  })

  test('parts carry the checksum that was asked for, and info tells that it is made of parts', async () => {
    const files = (await newBucket(server)).files(PARTS)
    await files.upload('a', streamOf(SIZE), { checksum: 'sha256' })
    const bytes = bytesOf(SIZE)
    const sums = [0, 1, 2].map(part =>
      createHash('sha256')
        .update(bytes.subarray(part * 5 * MIB, (part + 1) * 5 * MIB))
        .digest(),
    )
    const value = createHash('sha256').update(Buffer.concat(sums)).digest('hex')
    expect((await files.info('a')).checksum).toEqual({ algorithm: 'sha256', value, compositeParts: 3 })
  })

  test('a wrong checksum at the end of a stream stores nothing and leaves no part', async () => {
    const { files: provider, unfinished } = await newBucket(server)
    const files = provider(PARTS)
    const checksum = { algorithm: 'sha256', value: '0'.repeat(64) } as const
    await expect(files.upload('a', streamOf(SIZE), { checksum })).rejects.toMatchObject({
      code: 'checksum-mismatch',
    })
    expect(await files.exists('a')).toBe(false)
    expect(await unfinished()).toEqual([])
  })

  test('a source that fails leaves the old object and no part', async () => {
    const { files: provider, unfinished } = await newBucket(server)
    const files = provider(PARTS)
    await files.upload('a', 'old')
    const failing = async function* () {
      yield* streamOf(SIZE)
      throw new Error('the disk is gone')
    }
    await expect(files.upload('a', failing())).rejects.toMatchObject({ code: 'aborted' })
    expect(await (await files.download('a')).text()).toBe('old')
    expect(await unfinished()).toEqual([])
  })

  test('an abort while parts are under way leaves no part', async () => {
    const { files: provider, unfinished } = await newBucket(server)
    const files = provider(PARTS)
    const controller = new AbortController()
    const uploading = files.upload('a', streamOf(64 * MIB), {
      signal: controller.signal,
      onProgress: ({ loaded }) => {
        if (loaded > 11 * MIB) controller.abort()
      },
    })
    await expect(uploading).rejects.toMatchObject({ code: 'aborted' })
    expect(await files.exists('a')).toBe(false)
    expect(await unfinished()).toEqual([])
  })

  test('a large body that is at hand goes in parts, too, and its progress is told', async () => {
    const files = (await newBucket(server)).files(PARTS)
    const seen: number[] = []
    const { etag } = await files.upload('a', bytesOf(SIZE), { onProgress: ({ loaded }) => seen.push(loaded) })
    expect(etag).toMatch(/-3$/)
    expect(seen.at(-1)).toBe(SIZE)
  })
})
