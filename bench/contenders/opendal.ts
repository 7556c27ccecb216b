import { Operator } from 'opendal'
import type { Contender, Target } from './contender.ts'

export async function create(target: Target): Promise<Contender> {
  const operator = new Operator('s3', {
    endpoint: target.endpoint,
    region: target.region,
    bucket: target.bucket,
    access_key_id: target.accessKeyId,
    secret_access_key: target.secretAccessKey,
  })
  return {
    get: async key => (await operator.read(key)).length,
    put: (key, bytes) => operator.write(key, Buffer.from(bytes)),
    sign: async key => (await operator.presignRead(key, 3600)).url,
    async putStream(key, chunks) {
      const writer = await operator.writer(key)
      for await (const chunk of chunks) await writer.write(Buffer.from(chunk))
      await writer.close()
    },
    async getStream(key) {
      return (await operator.reader(key)).createReadStream()
    },
  }
}
