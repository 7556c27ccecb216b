import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { describeOnS3Server } from '../../support/s3-servers.ts'
import { runKills } from './kills.ts'

describeOnS3Server('minio', 'kills', server => {
  test('lose nothing, 60 times, with SQLite', { timeout: 300_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stowage-kills-'))
    const { endpoint, region, accessKeyId, secretAccessKey } = server
    const bucket = `kills-${process.pid}`
    const client = new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
    })
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }))
      const report = await runKills({
        store: `s3://${bucket}?endpoint=${endpoint}&region=${region}`,
        env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
        records: `sqlite:${join(folder, 'records.db')}`,
        seed: 'minio-sqlite',
        kills: 60,
        mostWorkMs: 400,
        // What a process had sent as it died may arrive behind the look at what it left.
        lateMs: 1_000,
      })
      console.log('kills, MinIO and SQLite:', JSON.stringify(report))
      expect(report.done).toBeGreaterThan(0)
      expect(report.happened).toBeGreaterThan(0)
      expect(report.interrupted).toBeGreaterThan(report.kills)
    } finally {
      client.destroy()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
