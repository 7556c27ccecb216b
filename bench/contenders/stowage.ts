import { s3 } from '../../dist/s3.js'
import type { Contender, Target } from './contender.ts'

export async function create(target: Target): Promise<Contender> {
  const files = s3({
    bucket: target.bucket,
    endpoint: target.endpoint,
    region: target.region,
    forcePathStyle: true,
    credentials: { accessKeyId: target.accessKeyId, secretAccessKey: target.secretAccessKey },
  })
  return {
    get: async key => (await (await files.download(key)).bytes()).length,
    put: async (key, bytes) =>
      void (await files.upload(key, bytes, { contentType: 'application/octet-stream' })),
    sign: async key => (await files.signedUrl(key, { expiresIn: 3600 })).url,
    putStream: async (key, chunks) =>
      void (await files.upload(key, chunks, { contentType: 'application/octet-stream' })),
    getStream: key => files.download(key),
    close: () => files.close(),
  }
}
