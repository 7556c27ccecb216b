import { S3Client } from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { type S3Options, s3 } from '../../../src/adapters/s3/index.ts'

const REFUSED: [string, unknown][] = [
  ['no options', undefined],
  ['an option that every object inherits', { bucket: 'b', constructor: 'x' }],
  ['no bucket', {}],
  ['an empty bucket', { bucket: '' }],
  ['an unknown option', { bucket: 'b', endpiont: 'http://127.0.0.1' }],
  ['an option of the wrong kind', { bucket: 'b', forcePathStyle: 'yes' }],
  ['parts of no bytes', { bucket: 'b', partSizeBytes: 0 }],
  ['a threshold past what one request takes', { bucket: 'b', multipartThresholdBytes: 5 * 2 ** 30 + 1 }],
  ['half a connection', { bucket: 'b', connections: 0.5 }],
  ['an endpoint that is no address', { bucket: 'b', endpoint: '127.0.0.1:9000' }],
  ['another way to delete', { bucket: 'b', deleteMethod: 'all' }],
  ['a client and an endpoint', { bucket: 'b', client: new S3Client({}), endpoint: 'http://127.0.0.1' }],
]

describe('s3 options', () => {
  test.each(REFUSED)('refuses %s', (_, options) => {
    expect(() => s3(options as S3Options)).toThrowError(expect.objectContaining({ code: 'invalid-argument' }))
  })

  test('names the option that it does not know', () => {
    expect(() => s3({ bucket: 'b', endpiont: 'x' } as S3Options)).toThrowError(
      "there is no option 'endpiont'",
    )
  })

  test('says that a region is missing', async () => {
    const files = s3({ bucket: 'b', client: new S3Client({ region: async () => '' }) })
    await expect(files.info('a')).rejects.toMatchObject({ code: 'invalid-argument', retryable: false })
    await files.close()
  })

  test('says that credentials are missing', async () => {
    const credentials = async () => {
      throw Object.assign(new Error('none found'), { name: 'CredentialsProviderError' })
    }
    const files = s3({ bucket: 'b', region: 'eu-west-1', credentials })
    await expect(files.info('a')).rejects.toMatchObject({ code: 'unauthenticated' })
    await files.close()
  })

  test('gives the public address of a bucket without a request', () => {
    const at = (options: Partial<S3Options>) =>
      s3({ bucket: 'b', ...options } as S3Options).publicUrl('a/ü +.txt')
    expect(at({ region: 'eu-west-1' })).toBe('https://b.s3.eu-west-1.amazonaws.com/a/%C3%BC%20%2B.txt')
    expect(at({ region: 'eu-west-1', bucket: 'b.c' })).toBe(
      'https://s3.eu-west-1.amazonaws.com/b.c/a/%C3%BC%20%2B.txt',
    )
    expect(at({ endpoint: 'http://127.0.0.1:9000/storage/v1/s3', forcePathStyle: true })).toBe(
      'http://127.0.0.1:9000/storage/v1/s3/b/a/%C3%BC%20%2B.txt',
    )
    expect(at({ publicBaseUrl: 'https://cdn.example.com/' })).toBe(
      'https://cdn.example.com/a/%C3%BC%20%2B.txt',
    )
  })

  test('has no public address where a client hides it', () => {
    const files = s3({ bucket: 'b', client: new S3Client({ region: 'eu-west-1' }) })
    expect(files.capabilities.publicUrl).toBe(false)
    expect(() => files.publicUrl('a')).toThrowError(expect.objectContaining({ code: 'unsupported' }))
  })

  test('assumes of keys what AWS takes on AWS, and little elsewhere', () => {
    expect(s3({ bucket: 'b', region: 'eu-west-1' }).capabilities.keys).toMatchObject({
      emptySegments: true,
      maxSegmentBytes: 1024,
    })
    const elsewhere = { bucket: 'b', endpoint: 'http://127.0.0.1:9000' }
    expect(s3(elsewhere).capabilities.keys).toMatchObject({ emptySegments: false, maxSegmentBytes: 255 })
    expect(s3({ ...elsewhere, keys: { emptySegments: true } }).capabilities.keys.emptySegments).toBe(true)
    const client = new S3Client({ region: 'eu-west-1', endpoint: 'http://127.0.0.1:9000' })
    expect(s3({ bucket: 'b', client }).capabilities.keys.emptySegments).toBe(false)
  })
})
