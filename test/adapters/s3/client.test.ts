import { S3Client } from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { s3 } from '../../../src/adapters/s3/index.ts'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { clientOf, newBucket, streamOf } from './bucket.ts'

const CREDENTIALS = { accessKeyId: 'id', secretAccessKey: 'secret' }

async function urlBy(client: S3Client, bucket = 'photos'): Promise<URL> {
  const files = s3({ bucket, client })
  const { url } = await files.signedUrl('a/b', { expiresIn: 60 })
  await files.close()
  return new URL(url)
}

describe("a client's own endpoint", () => {
  test.each([
    ['AWS', {}, 'https://photos.s3.eu-west-1.amazonaws.com/a/b'],
    ['AWS in path style', { forcePathStyle: true }, 'https://s3.eu-west-1.amazonaws.com/photos/a/b'],
    ['dual stack', { useDualstackEndpoint: true }, 'https://photos.s3.dualstack.eu-west-1.amazonaws.com/a/b'],
    [
      'FIPS',
      { region: 'us-east-1', useFipsEndpoint: true },
      'https://photos.s3-fips.us-east-1.amazonaws.com/a/b',
    ],
    ['acceleration', { useAccelerateEndpoint: true }, 'https://photos.s3-accelerate.amazonaws.com/a/b'],
    ['a custom host', { endpoint: 'https://s3.example.com:8443' }, 'https://photos.s3.example.com:8443/a/b'],
    [
      'a path before the bucket',
      { endpoint: 'http://127.0.0.1:54321/storage/v1/s3', forcePathStyle: true },
      'http://127.0.0.1:54321/storage/v1/s3/photos/a/b',
    ],
  ])('%s', async (_, config, expected) => {
    const url = await urlBy(new S3Client({ region: 'eu-west-1', credentials: CREDENTIALS, ...config }))
    expect(`${url.origin}${url.pathname}`).toBe(expected)
  })

  test('a bucket with a dot stays in the path', async () => {
    const url = await urlBy(new S3Client({ region: 'eu-west-1', credentials: CREDENTIALS }), 'my.photos')
    expect(`${url.origin}${url.pathname}`).toBe('https://s3.eu-west-1.amazonaws.com/my.photos/a/b')
  })

  test('region and session token are those of the client', async () => {
    const credentials = { ...CREDENTIALS, sessionToken: 'token' }
    const url = await urlBy(
      new S3Client({ region: async () => 'eu-west-3', credentials: async () => credentials }),
    )
    expect(url.searchParams.get('X-Amz-Credential')).toContain('/eu-west-3/s3/aws4_request')
    expect(url.searchParams.get('X-Amz-Security-Token')).toBe('token')
  })
})

describeOnS3Servers('s3 with a client of the user', server => {
  test("works with the SDK's checksum defaults, which are not sent", async () => {
    const { bucket } = await newBucket(server)
    const client = clientOf(server)
    const files = s3({ bucket, client, partSizeBytes: 5 * 2 ** 20 })
    await files.upload('a', streamOf(11 * 2 ** 20))
    await files.copy('a', 'b')
    expect(await files.info('b')).toMatchObject({ size: 11 * 2 ** 20 })
    await files.deleteMany(['a', 'b'])
    await files.close()
  })

  test('is not closed with the provider', async () => {
    const { bucket } = await newBucket(server)
    const client = clientOf(server)
    await s3({ bucket, client }).close()
    const files = s3({ bucket, client })
    await files.upload('a', 'x')
    await files.close()
    await expect(files.info('a')).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  test('asks again for credentials when a provider of them failed once', async () => {
    const { bucket } = await newBucket(server)
    const { endpoint, region, accessKeyId, secretAccessKey } = server
    let calls = 0
    const credentials = async () => {
      if (calls++ === 0) throw Object.assign(new Error('not yet'), { name: 'CredentialsProviderError' })
      return { accessKeyId, secretAccessKey }
    }
    const files = s3({ bucket, endpoint, region, credentials, forcePathStyle: true })
    await expect(files.exists('a')).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(await files.exists('a')).toBe(false)
    await files.close()
  })
})
