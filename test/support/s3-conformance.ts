import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, it } from 'vitest'
import { s3 } from '../../src/adapters/s3/index.ts'
import { type ConformanceContext, conformance } from '../../src/conformance/index.ts'
import { type CuttingProxy, cuttingProxy } from './cutting-proxy.ts'
import type { S3Server } from './s3-server.ts'

/** Declares the whole kit over `s3()` on one server. */
export function conformanceOnS3(server: S3Server, skip: ConformanceContext['skip'] = {}): void {
  const { accessKeyId, secretAccessKey, region } = server
  const bucket = `conformance-${process.pid}`
  const credentials = { accessKeyId, secretAccessKey }
  const connection = { endpoint: server.endpoint, region, credentials, forcePathStyle: true }
  const client = new S3Client({ ...connection, requestChecksumCalculation: 'WHEN_REQUIRED' })
  const proxies: CuttingProxy[] = []
  const provider = (change: object = {}) => s3({ bucket, ...connection, ...change })

  beforeAll(async () => {
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
  })
  afterAll(async () => {
    client.destroy()
    for (const proxy of proxies) await proxy.close()
  })

  for (const test of conformance({
    name: `s3 on ${server.name}`,
    create: ({ copyCutoffBytes, partSizeBytes, multipartThresholdBytes } = {}) =>
      provider({
        partSizeBytes,
        multipartThresholdBytes,
        copyThresholdBytes: copyCutoffBytes,
        copyPartSizeBytes: partSizeBytes,
      }),
    fetch: (url, init) => fetch(url, init),
    another: () => provider(),
    createMissingBucket: () => provider({ bucket: 'conformance-missing' }),
    async createCut(key, bytes) {
      await provider().upload(key, bytes)
      const proxy = await cuttingProxy(Number(new URL(server.endpoint).port), 300_000)
      proxies.push(proxy)
      return provider({ endpoint: `http://127.0.0.1:${proxy.port}` })
    },
    async leftovers(_, keys) {
      const open: string[] = []
      // MinIO lists the uploads of a whole key only.
      for (const key of keys) {
        const answer = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }))
        open.push(...(answer.Uploads ?? []).map(upload => `${upload.Key} ${upload.UploadId}`))
      }
      return open
    },
    skip,
  }))
    it(test.title, test.run)
}
