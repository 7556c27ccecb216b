/** A filled bucket at the source and a new one at the destination, as the contenders get them. */
import { randomBytes, randomUUID } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { s3 } from '../../dist/s3.js'
import type { S3Server } from '../../test/support/s3-server.ts'

export interface Place {
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export async function newPlace(server: S3Server): Promise<Place> {
  const { endpoint, region, accessKeyId, secretAccessKey } = server
  const bucket = `b-${randomUUID()}`
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return { endpoint, bucket, region, accessKeyId, secretAccessKey }
}

export function openPlace({ accessKeyId, secretAccessKey, ...rest }: Place) {
  return s3({ ...rest, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
}

/** Objects in folders of so many, each with bytes of its own. */
export async function fill(place: Place, objects: number, bytes: number, folder = 100): Promise<void> {
  const files = openPlace(place)
  const left = Array.from({ length: objects }, (_, index) => index).values()
  const worker = async () => {
    for (const index of left) {
      const key = `${String(Math.floor(index / folder)).padStart(4, '0')}/${String(index).padStart(6, '0')}.bin`
      const body = randomBytes(bytes)
      // No word that the proxies would take for a request.
      body[0] = 0
      await files.upload(key, body, { contentType: 'application/octet-stream' })
    }
  }
  await Promise.all(Array.from({ length: bytes > 2 ** 20 ? 2 : 16 }, worker))
  await files.close()
}

/** How many objects and bytes a place has: whoever claims to have copied them must have. */
export async function held(place: Place): Promise<{ objects: number; bytes: number }> {
  const files = openPlace(place)
  const sum = { objects: 0, bytes: 0 }
  for await (const entry of files.list())
    if (entry.kind === 'object') {
      sum.objects++
      sum.bytes += entry.size
    }
  await files.close()
  return sum
}

export async function empty(place: Place): Promise<void> {
  const files = openPlace(place)
  await files.deleteMany(files.list())
  await files.close()
}
