/** What is read off the options alone is what a client of the SDK would have told. */
import * as sdk from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { plainEndpoint, resolveEndpoint } from '../../../src/adapters/s3/endpoint.ts'

const CREDENTIALS = { accessKeyId: 'id', secretAccessKey: 'secret' }

describe('an endpoint that is named by its address', () => {
  test.each([
    { endpoint: 'http://127.0.0.1:9000', region: 'us-east-1' },
    { endpoint: 'http://localhost:9000/', region: 'auto' },
    { endpoint: 'https://s3.example.com', region: 'eu-west-1' },
    { endpoint: 'https://s3.example.com:443', region: 'eu-west-1' },
    { endpoint: 'http://[::1]:9000', region: 'us-east-1' },
    { endpoint: 'https://s3.eu-west-1.amazonaws.com', region: 'eu-west-1' },
  ])('$endpoint needs no client', async given => {
    const options = { ...given, forcePathStyle: true, credentials: CREDENTIALS }
    const client = new sdk.S3Client(options)
    expect(plainEndpoint({ ...options, bucket: 'photos' })).toEqual(
      await resolveEndpoint(sdk, client, 'photos'),
    )
    client.destroy()
  })

  test.each([
    {},
    { endpoint: 'http://127.0.0.1:9000', forcePathStyle: false },
    { endpoint: 'http://127.0.0.1:54321/storage/v1/s3' },
    { endpoint: 'http://user:secret@127.0.0.1:9000' },
    { endpoint: 'http://127.0.0.1:9000', bucket: 'my.photos' },
    { endpoint: 'http://127.0.0.1:9000', bucket: 'arn:aws:s3:eu-west-1:123456789012:accesspoint/photos' },
    { endpoint: 'http://127.0.0.1:9000', region: async () => 'us-east-1' },
    { endpoint: 'http://127.0.0.1:9000', useFipsEndpoint: true },
  ])('%j is left to the client', given => {
    expect(plainEndpoint({ bucket: 'photos', forcePathStyle: true, ...given })).toBeUndefined()
  })
})
