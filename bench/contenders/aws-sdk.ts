import { Readable } from 'node:stream'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type Contender, clientConfig, type Target } from './contender.ts'

export async function create(target: Target): Promise<Contender> {
  const client = new S3Client(clientConfig(target))
  const Bucket = target.bucket
  return {
    get: async Key =>
      (await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray()).length,
    put: async (Key, Body) => void (await client.send(new PutObjectCommand({ Bucket, Key, Body }))),
    sign: Key => getSignedUrl(client, new GetObjectCommand({ Bucket, Key }), { expiresIn: 3600 }),
    putStream: async (Key, chunks) =>
      void (await new Upload({ client, params: { Bucket, Key, Body: Readable.from(chunks) } }).done()),
    getStream: async Key =>
      (await client.send(new GetObjectCommand({ Bucket, Key }))).Body as AsyncIterable<Uint8Array>,
    close: async () => client.destroy(),
  }
}
