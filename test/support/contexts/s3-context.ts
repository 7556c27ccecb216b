import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { s3 } from '../../../src/adapters/s3/index.ts'
import { type CuttingProxy, cuttingProxy } from '../cutting-proxy.ts'
import type { S3Server } from '../s3-server.ts'
import type { StoreContext } from './context-of.ts'

/** The kit over `s3()` on one server, in a bucket of its own. */
export function s3Context(server: S3Server, name = 'conformance'): StoreContext {
  const { accessKeyId, secretAccessKey, region } = server
  const bucket = `${name}-${process.pid}`
  const credentials = { accessKeyId, secretAccessKey }
  const connection = { endpoint: server.endpoint, region, credentials, forcePathStyle: true }
  const client = new S3Client({ ...connection, requestChecksumCalculation: 'WHEN_REQUIRED' })
  const proxies: CuttingProxy[] = []
  const provider = (change: object = {}) => s3({ bucket, ...connection, ...change })

  return {
    async before() {
      await client.send(new CreateBucketCommand({ Bucket: bucket }))
    },
    async after() {
      client.destroy()
      for (const proxy of proxies) await proxy.close()
    },
    context: {
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
    },
  }
}
