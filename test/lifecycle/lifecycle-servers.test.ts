import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { bucketLifecycle } from '../../src/adapters/s3/index.ts'
import { applyLifecycle, type LifecyclePolicy, planLifecycle } from '../../src/lifecycle/index.ts'
import type { S3Server } from '../support/s3-server.ts'
import { describeOnS3Server } from '../support/s3-servers.ts'

async function bucketOf(server: S3Server) {
  const bucket = `lifecycle-${randomUUID()}`
  const { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle } = server
  const connection = { endpoint, region, forcePathStyle, credentials: { accessKeyId, secretAccessKey } }
  const client = new S3Client(connection)
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return bucketLifecycle({ bucket, ...connection })
}

describeOnS3Server('minio', 'lifecycle rules', server => {
  test('of expiry are written, read back, changed and removed', async () => {
    const lifecycle = await bucketOf(server)
    const apply = async (policy: LifecyclePolicy) =>
      applyLifecycle(lifecycle, await planLifecycle(lifecycle, policy), { sleep: async () => {} })
    const policy: LifecyclePolicy = {
      expire: [
        { prefix: 'staging/', afterDays: 7 },
        { prefix: 'ümläut & <tag>/', afterDays: 3 },
      ],
      noncurrent: { expireAfterDays: 30, keepNewest: 2 },
      removeExpiredDeleteMarkers: true,
    }
    expect((await apply(policy)).rules).toHaveLength(4)
    const again = await planLifecycle(lifecycle, policy)
    expect([again.unchanged, again.kept.length]).toEqual([true, 4])
    const changed = await planLifecycle(lifecycle, { expire: [{ prefix: 'staging/', afterDays: 8 }] })
    expect([changed.changed.length, changed.removed.length]).toEqual([1, 3])
    expect((await apply({ expire: [{ prefix: 'staging/', afterDays: 8 }] })).rules).toHaveLength(1)
    expect((await apply({})).rules).toEqual([])
    await lifecycle.close()
  })

  test('of what it can not do are refused with advice, and nothing is changed', async () => {
    const lifecycle = await bucketOf(server)
    const apply = async (policy: LifecyclePolicy) =>
      applyLifecycle(lifecycle, await planLifecycle(lifecycle, policy))
    const expire = [{ prefix: 'staging/', afterDays: 7 }]
    await apply({ expire })
    await expect(apply({ expire, abortUnfinishedAfterDays: 3 })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/MinIO takes no rule that aborts uploads/),
    })
    const tiers = [{ prefix: 'a/', afterDays: 30, storageClass: 'STANDARD_IA' }] as const
    await expect(apply({ expire, tiers })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/MinIO has none of AWS's storage classes/),
    })
    expect((await planLifecycle(lifecycle, { expire })).unchanged).toBe(true)
    await lifecycle.close()
  })
})

describeOnS3Server('versitygw', 'lifecycle rules', server => {
  test('are refused as unsupported', async () => {
    const lifecycle = await bucketOf(server)
    await expect(lifecycle.read()).rejects.toMatchObject({ code: 'unsupported' })
    await lifecycle.close()
  })
})
