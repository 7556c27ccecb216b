/** Signed URLs of S3 made here, each of the same 100 keys in turn, with and without `windowSeconds`. */
import { s3 } from '../../../dist/s3.js'
import type { TimedContender } from '../../timed-contender.ts'

const KEYS = Array.from({ length: 100 }, (_, n) => `user-${n}/thread/insert_${n}.jpg`)

export async function create({ windowSeconds }: { windowSeconds?: number }): Promise<TimedContender> {
  const files = s3({
    bucket: 'photos',
    endpoint: 'http://127.0.0.1:9',
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the bench' },
    windowSeconds,
  })
  return {
    atOnce: 1,
    operate: index => files.signedUrl(KEYS[index % KEYS.length]!, { expiresIn: 604_800 }),
  }
}
