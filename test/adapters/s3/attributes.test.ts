import { PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { newBucket } from './bucket.ts'

describeOnS3Servers('s3 attributes', server => {
  const metadata = { mixed: 'é  ü', word: '=?UTF-8?B?eA==?=', edges: '  x ', empty: '', plain: 'a  b' }

  test('metadata comes back as it was, by upload, multipart and copy', async () => {
    const files = (await newBucket(server)).files({
      partSizeBytes: 5 * 2 ** 20,
      multipartThresholdBytes: 5 * 2 ** 20,
    })
    await files.upload('one', 'x', { metadata })
    await files.upload('parts', new Uint8Array(6 * 2 ** 20), { metadata })
    await files.copy('one', 'copy')
    await files.copy('one', 'changed', { cacheControl: 'max-age=1' })
    for (const key of ['one', 'parts', 'copy', 'changed'])
      expect((await files.info(key)).metadata).toEqual(metadata)
  })

  test('metadata that others stored raw is read as it was meant', async () => {
    const { client, bucket, files } = await newBucket(server)
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: 'a',
        Body: 'x',
        Metadata: { word: '=?UTF-8?Q?=C3=A9?=' },
      }),
    )
    expect((await files().info('a')).metadata).toEqual({ word: 'é' })
  })

  test('headers outside ASCII come back as they were', async () => {
    const files = (await newBucket(server)).files()
    const contentDisposition = 'attachment; filename="é.txt"'
    await files.upload('a', 'x', { contentDisposition, contentLanguage: 'de' })
    expect(await files.info('a')).toMatchObject({ contentDisposition, contentLanguage: 'de' })
  })

  test('a storage class is kept, or refused as invalid-argument, never dropped in silence', async () => {
    const files = (await newBucket(server)).files()
    const storing = files.upload('a', 'x', { storageClass: 'STANDARD_IA' })
    // versitygw takes it and shows STANDARD: what it shows is what info() gives.
    if (server.name === 'minio') await expect(storing).rejects.toMatchObject({ code: 'invalid-argument' })
    else expect((await storing).storageClass).toBeUndefined()
  })

  test('copy onto itself edits attributes in place; without a change it is fine, too', async () => {
    const files = (await newBucket(server)).files()
    await files.upload('a.txt', 'bytes', { cacheControl: 'max-age=1', metadata: { x: '1' } })
    await files.copy('a.txt', 'a.txt', { metadata: { x: '2' } })
    await files.copy('a.txt', 'a.txt')
    expect(await files.info('a.txt')).toMatchObject({
      cacheControl: 'max-age=1',
      metadata: { x: '2' },
      contentType: 'text/plain',
    })
  })
})
