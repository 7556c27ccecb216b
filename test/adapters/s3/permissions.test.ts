/** docs/s3.md lists the least that each method needs: a MinIO user with exactly that can do it, and nothing else. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { minioUser } from '../../support/minio-admin.ts'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { bytesOf, keysOf, newBucket, streamOf } from './bucket.ts'

interface Need {
  readonly method: string
  readonly onObjects: readonly string[]
  readonly onBucket: readonly string[]
}

const DOCUMENT = readFileSync(new URL('../../../docs/s3.md', import.meta.url), 'utf8')
const ROW = /^\| `(\w+)` \| ((?:`s3:\w+` ?)*) ?\| ((?:`s3:\w+` ?)*) ?\|$/gm
const actionsIn = (cell: string) => [...cell.matchAll(/s3:\w+/g)].map(match => match[0])
const NEEDS: Need[] = [...DOCUMENT.matchAll(ROW)].map(([, method, objects, bucket]) => ({
  method: method!,
  onObjects: actionsIn(objects!),
  onBucket: actionsIn(bucket!),
}))

const PARTS = { partSizeBytes: 5 * 2 ** 20, multipartThresholdBytes: 5 * 2 ** 20 }

/** Each method on objects of its own, in every way that needs a permission. */
const WORK: Record<string, (files: StorageProvider) => Promise<unknown>> = {
  upload: async files => {
    await files.upload('new', 'x')
    await files.upload('new', streamOf(6 * 2 ** 20))
    const failing = files
      .upload('new', bytesOf(6 * 2 ** 20), { signal: AbortSignal.timeout(1) })
      .catch(() => {})
    await failing
  },
  download: async files => (await files.download('read')).bytes(),
  info: files => files.info('read'),
  infoMany: async files => {
    for (const result of await files.infoMany(['read'])) if (!result.ok) throw result.error
  },
  exists: async files => [await files.exists('read'), await files.exists('missing')],
  list: files => keysOf(files.list()),
  copy: files => files.copy('read', 'copied'),
  move: files => files.move('moved', 'moved-to'),
  delete: files => files.delete('deleted'),
  deleteMany: async files => {
    for (const result of await files.deleteMany(['deleted']))
      if (result.status === 'error') throw result.error
  },
  probe: files => files.probe(),
}

describeOnS3Servers('s3 permissions', server => {
  if (server.name !== 'minio') {
    test('users with policies are made on MinIO only: versitygw keeps them in bucket policies', () => {
      expect(server.name).toBe('versitygw')
    })
    return
  }

  test('the document has a row for each method', () => {
    expect(NEEDS.map(need => need.method).sort()).toEqual(Object.keys(WORK).sort())
  })

  test.each(NEEDS)(
    '$method needs what the document says, and allows no method that needs more',
    async need => {
      const { bucket, files } = await newBucket(server)
      const user = await minioUser(server, policyOf(bucket, need))
      const limited = files({ credentials: user, ...PARTS } as object)
      const root = files()
      for (const other of [need, ...NEEDS.filter(other => other !== need)]) {
        for (const key of ['read', 'moved', 'deleted']) await root.upload(key, 'bytes')
        const work = WORK[other.method]!(limited)
        if (isWithin(other, need))
          await expect(work, `${other.method} with the policy of ${need.method}`).resolves.not.toThrow()
        else
          await expect(work, `${other.method} with the policy of ${need.method}`).rejects.toMatchObject({
            code: 'permission-denied',
          })
      }
    },
  )
})

function policyOf(bucket: string, { onObjects, onBucket }: Need): object {
  const allow = (Action: readonly string[], resource: string) =>
    Action.length === 0 ? [] : [{ Effect: 'Allow', Action, Resource: [`arn:aws:s3:::${resource}`] }]
  return {
    Version: '2012-10-17',
    Statement: [...allow(onObjects, `${bucket}/*`), ...allow(onBucket, bucket)],
  }
}

/**
 * Whether `need` is allowed by a policy for `given`. Removing parts of failed uploads is asked for, not required, and
 * MinIO answers 404 for a missing object to everyone who may read, where AWS wants `s3:ListBucket`.
 */
function isWithin(need: Need, given: Need): boolean {
  const required = need.onObjects.filter(action => !/Multipart/.test(action))
  return (
    required.every(action => given.onObjects.includes(action)) &&
    (need.method === 'exists' || need.onBucket.every(action => given.onBucket.includes(action)))
  )
}
