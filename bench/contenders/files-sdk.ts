import { S3Client } from '@aws-sdk/client-s3'
import { Files } from 'files-sdk'
import { s3 } from 'files-sdk/s3'
import { type Contender, clientConfig, type Target } from './contender.ts'

export async function create(target: Target): Promise<Contender> {
  const client = new S3Client(clientConfig(target))
  const files = new Files({
    adapter: s3({ bucket: target.bucket, client, ...clientConfig(target) } as Parameters<typeof s3>[0]),
  })
  return {
    get: async key => (await (await files.download(key)).arrayBuffer()).byteLength,
    put: async (key, bytes) =>
      void (await files.upload(key, bytes, { contentType: 'application/octet-stream' })),
    sign: key => files.url(key, { expiresIn: 3600 }),
    putStream: async (key, chunks) =>
      void (await files.upload(key, ReadableStream.from(chunks) as ReadableStream, {
        contentType: 'application/octet-stream',
      })),
    getStream: async key =>
      (await files.download(key, { as: 'stream' })).stream() as unknown as AsyncIterable<Uint8Array>,
  }
}
