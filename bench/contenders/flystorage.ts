import { Readable } from 'node:stream'
import { S3Client } from '@aws-sdk/client-s3'
import { AwsS3StorageAdapter } from '@flystorage/aws-s3'
import { FileStorage } from '@flystorage/file-storage'
import { type Contender, clientConfig, type Target } from './contender.ts'

export async function create(target: Target): Promise<Contender> {
  const client = new S3Client(clientConfig(target))
  const storage = new FileStorage(new AwsS3StorageAdapter(client, { bucket: target.bucket }))
  return {
    get: async key => (await storage.readToUint8Array(key)).length,
    put: (key, bytes) => storage.write(key, Buffer.from(bytes), { mimeType: 'application/octet-stream' }),
    sign: key => storage.temporaryUrl(key, { expiresAt: Date.now() + 3_600_000 }),
    putStream: (key, chunks) =>
      storage.write(key, Readable.from(chunks), { mimeType: 'application/octet-stream' }),
    getStream: key => storage.read(key),
    close: async () => client.destroy(),
  }
}
