import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import type { StorageProvider } from '../../../src/core/provider.ts'
import type { UnfinishedUpload } from '../../../src/core/results.ts'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { newBucket, type TestBucket } from './bucket.ts'
import { errorXml, fakeS3 } from './fake-s3.ts'

/** What a process leaves that is killed within an upload: begun by another client, a part stored, never ended. */
async function leftBehind({ client, bucket }: TestBucket, key: string): Promise<string> {
  const target = { Bucket: bucket, Key: key }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
  await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: Buffer.alloc(1000) }))
  return UploadId!
}

async function listed(
  files: StorageProvider,
  options?: Parameters<StorageProvider['unfinishedUploads']>[0],
): Promise<UnfinishedUpload[]> {
  const uploads: UnfinishedUpload[] = []
  for await (const upload of files.unfinishedUploads(options)) uploads.push(upload)
  return uploads
}

describeOnS3Servers('s3 unfinished uploads', server => {
  test('what a killed process left is listed, aborted with its parts, and aborted again', async () => {
    const bucket = await newBucket(server)
    const files = bucket.files()
    const key = 'left/ünï & <xml> +.bin'
    const uploadId = await leftBehind(bucket, key)
    expect(await listed(files, { prefix: key })).toEqual([{ key, uploadId, startedAt: expect.any(Date) }])
    for (const _ of [1, 2]) await files.abortUpload(key, uploadId)
    expect(await listed(files, { prefix: key })).toEqual([])
  })

  test('all uploads to a key are listed, and none behind it, whatever becomes of them meanwhile', async () => {
    const bucket = await newBucket(server)
    const files = bucket.files()
    for (const _ of [1, 2]) await leftBehind(bucket, 'a')
    const [first, second] = await listed(files, { prefix: 'a' })
    expect(second).toBeDefined()
    await files.abortUpload('a', first!.uploadId)
    expect(await listed(files, { prefix: 'a' })).toEqual([second])
    expect(await listed(files, { prefix: 'a', startAfter: 'a' })).toEqual([])
  })

  test('an id that the server never gave is aborted without an error, a missing bucket is one', async () => {
    const bucket = await newBucket(server)
    await bucket.files().abortUpload('a', '6b0c2e9c-4a1c-4f6b-9f0e-1f6f0f6f0f6f')
    const missing = bucket.files({ bucket: 'no-such-bucket' } as object)
    await expect(listed(missing, { prefix: 'a' })).rejects.toMatchObject({
      code: 'not-found',
      resource: 'bucket',
    })
  })

  if (server.name === 'versitygw')
    test('uploads of a whole bucket are listed by a part of their keys', async () => {
      const bucket = await newBucket(server)
      for (const key of ['a/1', 'a/2', 'b/1']) await leftBehind(bucket, key)
      expect((await listed(bucket.files(), { prefix: 'a/' })).map(({ key }) => key)).toEqual(['a/1', 'a/2'])
      expect((await listed(bucket.files())).map(({ key }) => key)).toEqual(['a/1', 'a/2', 'b/1'])
    })

  test("the store's clock is near ours, also for who may not list the bucket", async () => {
    const bucket = await newBucket(server)
    expect(Math.abs((await bucket.files().clock()).getTime() - Date.now())).toBeLessThan(5000)
    await expect(bucket.files({ bucket: 'no-such-bucket' } as object).clock()).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

/** A page of uploads as S3 sends it. */
function page(
  uploads: readonly (readonly [key: string, id: string])[],
  next?: readonly [string, string],
): string {
  const entries = uploads.map(
    ([key, id]) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2026-07-01T10:00:00.000Z</Initiated></Upload>`,
  )
  const more = next
    ? `<IsTruncated>true</IsTruncated><NextKeyMarker>${next[0]}</NextKeyMarker><NextUploadIdMarker>${next[1]}</NextUploadIdMarker>`
    : '<IsTruncated>false</IsTruncated>'
  return `<ListMultipartUploadsResult>${more}<EncodingType>url</EncodingType>${entries.join('')}</ListMultipartUploadsResult>`
}

describe('s3 pages of unfinished uploads', () => {
  test('follow each other behind whole keys, each asked for when it is wanted', async () => {
    const { files, requests } = await fakeS3(({ target }, response) => {
      response.end(
        target.includes('key-marker=a+')
          ? page([
              ['b%25', '2'],
              ['b%25', '3'],
            ])
          : page(
              [
                ['a%2B', '1'],
                ['b%25', '2'],
              ],
              ['b%25', '2'],
            ),
      )
    })
    const pages = files.unfinishedUploads().pages()[Symbol.asyncIterator]()
    const startedAt = new Date('2026-07-01T10:00:00Z')
    expect((await pages.next()).value).toEqual([{ key: 'a+', uploadId: '1', startedAt }])
    expect(requests).toHaveLength(1)
    expect((await pages.next()).value).toMatchObject([
      { key: 'b%', uploadId: '2' },
      { key: 'b%', uploadId: '3' },
    ])
    expect(await pages.next()).toMatchObject({ done: true })
    expect(requests).toHaveLength(2)
  })

  test('are one page where they are all of one key', async () => {
    const { files, requests } = await fakeS3(({ target }, response) => {
      if (target.includes('upload-id-marker=2'))
        response.end(
          page(
            [
              ['a', '3'],
              ['a', '4'],
            ],
            ['a', '4'],
          ),
        )
      else if (target.includes('upload-id-marker=4'))
        response.end(
          page([
            ['a', '5'],
            ['ab', '9'],
          ]),
        )
      else if (target.includes('key-marker=a')) response.end(page([['ab', '9']]))
      else
        response.end(
          page(
            [
              ['a', '1'],
              ['a', '2'],
            ],
            ['a', '2'],
          ),
        )
    })
    const pages = files.unfinishedUploads().pages()[Symbol.asyncIterator]()
    expect((await pages.next()).value?.map(({ uploadId }: UnfinishedUpload) => uploadId)).toEqual([
      '1',
      '2',
      '3',
      '4',
      '5',
    ])
    expect((await pages.next()).value).toMatchObject([{ key: 'ab' }])
    expect(requests).toHaveLength(4)
  })

  test('that come again and again are an error, and so is one that ends nowhere', async () => {
    const again = await fakeS3((_, response) => void response.end(page([['a', '1']], ['a', '1'])))
    await expect(listed(again.files)).rejects.toMatchObject({ code: 'unavailable' })
    const twoKeys = page(
      [
        ['a', '1'],
        ['b', '2'],
      ],
      ['b', '2'],
    )
    const whole = await fakeS3((_, response) => void response.end(twoKeys))
    await expect(listed(whole.files)).rejects.toMatchObject({ code: 'unavailable' })
    const nowhere = await fakeS3((_, response) => void response.end(page([['a', '1']], ['', ''])))
    await expect(listed(nowhere.files)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('s3 aborting an upload', () => {
  test('goes on until no part is listed, and says so where parts keep arriving', async () => {
    let aborts = 0
    const parts = '<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>"e"</ETag></Part></ListPartsResult>'
    const server = (settled: number) =>
      fakeS3(({ method }, response) => {
        if (method === 'DELETE') {
          aborts++
          response.statusCode = 204
          response.end()
        } else response.end(aborts < settled ? parts : '<ListPartsResult></ListPartsResult>')
      })
    await (await server(3)).files.abortUpload('a', 'id')
    expect(aborts).toBe(3)
    aborts = 0
    await expect((await server(Number.POSITIVE_INFINITY)).files.abortUpload('a', 'id')).rejects.toMatchObject(
      {
        code: 'conflict',
        operation: 'abortUpload',
        key: 'a',
      },
    )
    expect(aborts).toBe(5)
  })

  test('fails where the server refuses it', async () => {
    const { files } = await fakeS3((_, response) => {
      response.statusCode = 403
      response.end(errorXml('AccessDenied'))
    })
    await expect(files.abortUpload('a', 'id')).rejects.toMatchObject({ code: 'permission-denied' })
  })
})

describe("the store's clock by s3", () => {
  test.each([200, 403])('is the date of an answer of %i', async status => {
    const { files } = await fakeS3((_, response) => {
      response.writeHead(status, { date: 'Wed, 01 Jul 2026 10:00:00 GMT' })
      response.end()
    })
    expect(await files.clock()).toEqual(new Date('2026-07-01T10:00:00Z'))
  })

  test.each([404, 500])('is not that of an answer of %i', async status => {
    const { files } = await fakeS3((_, response) => {
      response.writeHead(status, { date: 'Wed, 01 Jul 2026 10:00:00 GMT' })
      response.end()
    })
    await expect(files.clock()).rejects.toMatchObject({ code: status === 404 ? 'not-found' : 'unavailable' })
  })

  test('is never guessed', async () => {
    const { files } = await fakeS3((_, response) => {
      response.sendDate = false
      response.end()
    })
    await expect(files.clock()).rejects.toMatchObject({ code: 'unavailable' })
  })
})
