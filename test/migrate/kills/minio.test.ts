import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { s3 } from '../../../src/adapters/s3/index.ts'
import { describeOnS3Server } from '../../support/s3-servers.ts'
import { runKills } from './kills.ts'
import { objectsOf, seedObjects } from './objects.ts'

describeOnS3Server('minio', 'a migration that is killed', server => {
  test('15 times moves every object once, large ones in parts, from bucket to bucket', {
    timeout: 300_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stowage-migrate-kills-'))
    const { endpoint, region, accessKeyId, secretAccessKey } = server
    const credentials = { accessKeyId, secretAccessKey }
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
    const [from, to] = ['from', 'to'].map(side => `kills-${side}-${process.pid}`)
    try {
      const stores = []
      for (const bucket of [from!, to!]) {
        await client.send(new CreateBucketCommand({ Bucket: bucket }))
        stores.push(s3({ bucket, endpoint, region, credentials, forcePathStyle: true }))
      }
      const [source, target] = stores
      await seedObjects(source!, { seed: 2, count: 300, large: 3 })
      const url = (bucket: string) => `s3://${bucket}?endpoint=${endpoint}&region=${region}`
      const report = await runKills({
        from: url(from!),
        to: url(to!),
        manifest: `sqlite:${join(folder, 'manifest.db')}`,
        limits: { maxConcurrency: 8, largeObjectBytes: 8 * 2 ** 20, partBytes: 5 * 2 ** 20 },
        env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
        seed: 21,
        kills: 15,
        mostCopies: 25,
      })
      const { result, ...figures } = report
      console.log('kills of a migration, MinIO to MinIO:', JSON.stringify(figures))
      expect(result).toMatchObject({ complete: true, failed: 0, refused: 0 })
      expect(await objectsOf(target!)).toEqual(await objectsOf(source!))
      expect(report.putAfterCopied).toEqual([])
      expect(report.interrupted).toBeGreaterThan(4)
      expect(report.puts).toBeLessThanOrEqual(300 + 15 * 24)
      await Promise.all([source!.close(), target!.close()])
    } finally {
      client.destroy()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
