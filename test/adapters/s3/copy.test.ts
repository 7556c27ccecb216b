import { PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { bytesOf, newBucket } from './bucket.ts'

const MIB = 2 ** 20
const ATTRIBUTES = {
  contentType: 'image/png',
  cacheControl: 'max-age=9',
  contentDisposition: 'inline; filename="é.png"',
  contentLanguage: 'de',
  metadata: { x: 'é  1', y: '2' },
}

describeOnS3Servers('s3 copy', server => {
  test('past the limit of one request it goes in parts and keeps every attribute', async () => {
    const { files: provider, unfinished } = await newBucket(server)
    const files = provider({ copyThresholdBytes: 6 * MIB, copyPartSizeBytes: 5 * MIB })
    const bytes = bytesOf(12 * MIB)
    await files.upload('ü +/a', bytes, ATTRIBUTES)
    const copied = await files.copy('ü +/a', 'b', { cacheControl: 'max-age=1' })
    expect(copied).toMatchObject({ ...ATTRIBUTES, cacheControl: 'max-age=1', size: bytes.length })
    expect(await files.info('b')).toMatchObject({
      ...ATTRIBUTES,
      cacheControl: 'max-age=1',
      etag: copied.etag,
    })
    expect(Buffer.compare(await (await files.download('b')).bytes(), bytes)).toBe(0)
    expect(await unfinished()).toEqual([])
  })

  test('in parts, a failure leaves no part and the destination as it was', async () => {
    const { files: provider, unfinished } = await newBucket(server)
    const files = provider({ copyThresholdBytes: 6 * MIB, copyPartSizeBytes: 2 * MIB })
    await files.upload('a', bytesOf(12 * MIB))
    await files.upload('b', 'old')
    // Parts of 2 MiB are smaller than a completion takes.
    await expect(files.copy('a', 'b')).rejects.toMatchObject({ code: 'invalid-argument' })
    expect(await (await files.download('b')).text()).toBe('old')
    expect(await unfinished()).toEqual([])
  })

  test('a stale etag of the source copies nothing', async () => {
    const files = (await newBucket(server)).files()
    const { etag } = await files.upload('a', 'one')
    await files.upload('a', 'two')
    await expect(files.copy('a', 'b', { ifMatch: etag! })).rejects.toMatchObject({
      code: 'precondition-failed',
    })
    await expect(files.move('a', 'b', { ifMatch: etag! })).rejects.toMatchObject({
      code: 'precondition-failed',
    })
    expect(await files.exists('b')).toBe(false)
    expect(await files.exists('a')).toBe(true)
  })

  test('move takes the source away, and moving onto itself does not', async () => {
    const files = (await newBucket(server)).files()
    await files.upload('a', 'bytes', ATTRIBUTES)
    await files.move('a', 'b')
    await files.move('b', 'b')
    expect(await files.exists('a')).toBe(false)
    expect(await files.info('b')).toMatchObject(ATTRIBUTES)
  })

  test('keeps what others stored without a type of ours', async () => {
    const { client, bucket, files: provider } = await newBucket(server)
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x', ContentEncoding: 'gzip' }))
    const files = provider()
    await files.copy('a', 'b', { metadata: { z: '1' } })
    expect(await files.info('b')).toMatchObject({ contentEncoding: 'gzip', metadata: { z: '1' } })
  })
})
