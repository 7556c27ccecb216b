import { S3Client } from '@aws-sdk/client-s3'
import { Disk } from 'flydrive'
import { S3Driver } from 'flydrive/drivers/s3'
import { type Contender, clientConfig, type Target } from './contender.ts'

export async function create(target: Target): Promise<Contender> {
  const client = new S3Client(clientConfig(target))
  const disk = new Disk(
    new S3Driver({ client, bucket: target.bucket, visibility: 'private', supportsACL: false }),
  )
  return {
    get: async key => (await disk.getBytes(key)).byteLength,
    put: (key, bytes) => disk.put(key, bytes),
    sign: key => disk.getSignedUrl(key, { expiresIn: '1h' }),
    getStream: async key => disk.getStream(key),
    close: async () => client.destroy(),
  }
}
