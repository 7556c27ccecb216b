/** docs/s3.md lists the least that each method needs: a MinIO user with exactly that can do it, and nothing else. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { SignedMethod } from '../../../src/core/capabilities.ts'
import { StorageError } from '../../../src/core/errors.ts'
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
const ROW = /^\| `(\w+)`( for [A-Z]+)? \| ((?:`s3:\w+` ?)*) ?\| ((?:`s3:\w+` ?)*) ?\|$/gm
const actionsIn = (cell: string) => [...cell.matchAll(/s3:\w+/g)].map(match => match[0])
const NEEDS: Need[] = [...DOCUMENT.matchAll(ROW)].map(([, method, signed, objects, bucket]) => ({
  method: `${method}${signed ?? ''}`,
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
  uploadResumable: files => {
    const read = async (start: number, end: number) => bytesOf(end - start)
    return files.uploadResumable('new', { size: 6 * 2 ** 20, read })
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
  'signedUrl for GET': files => useUrl(files, 'read', 'GET'),
  'signedUrl for HEAD': files => useUrl(files, 'read', 'HEAD'),
  'signedUrl for PUT': files => useUrl(files, 'new', 'PUT'),
  'signedUrl for DELETE': files => useUrl(files, 'deleted', 'DELETE'),
  signedUpload: async files => {
    const [put, form] = await withoutPermission(() =>
      Promise.all([
        files.signedUpload('new', { expiresIn: 60, size: 3 }),
        files.signedUpload('new', { expiresIn: 60, maxSize: 3 }),
      ]),
    )
    const body = new FormData()
    for (const [name, value] of Object.entries(form.method === 'POST' ? form.fields : {}))
      body.append(name, value)
    body.append('file', new Blob(['abc']))
    assertAllowed(
      await fetch(put.url, { method: put.method, body: 'abc' }),
      await fetch(form.url, { method: form.method, body }),
    )
  },
  unfinishedUploads: async files => {
    for await (const _ of files.unfinishedUploads({ prefix: 'new' })) return
  },
  abortUpload: files => files.abortUpload('new', 'an-upload-that-has-ended'),
  clock: files => files.clock(),
  probe: files => files.probe(),
}

async function useUrl(files: StorageProvider, key: string, method: SignedMethod): Promise<void> {
  const { url } = await withoutPermission(() => files.signedUrl(key, { expiresIn: 60, method }))
  assertAllowed(await fetch(url, { method, ...(method === 'PUT' ? { body: 'abc' } : {}) }))
}

/** Signing is never what is denied. */
async function withoutPermission<T>(sign: () => Promise<T>): Promise<T> {
  try {
    return await sign()
  } catch (cause) {
    throw new Error('signing failed', { cause })
  }
}

/** Denied is what every answer denies with 403; anything between that and success is a failure of the test. */
function assertAllowed(...answers: Response[]): void {
  if (answers.every(answer => answer.ok)) return
  const statuses = answers.map(answer => answer.status)
  if (statuses.some(status => status !== 403))
    throw new Error(`the server answered ${statuses.join(' and ')}`)
  throw new StorageError('permission-denied', 'the server answered 403')
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
  const statements = [...allow(onObjects, `${bucket}/*`), ...allow(onBucket, bucket)]
  // No policy is empty: nothing is allowed by one for another bucket.
  return {
    Version: '2012-10-17',
    Statement: statements.length > 0 ? statements : allow(['s3:GetObject'], 'other/*'),
  }
}

/**
 * Whether `need` is allowed by a policy for `given`. Removing parts of failed uploads is asked for, not required, but by
 * `abortUpload`, and MinIO answers 404 for a missing object to everyone who may read, where AWS wants `s3:ListBucket`.
 */
function isWithin(need: Need, given: Need): boolean {
  const required = need.onObjects.filter(action => need.method === 'abortUpload' || !/Multipart/.test(action))
  return (
    required.every(action => given.onObjects.includes(action)) &&
    (need.method === 'exists' || need.onBucket.every(action => given.onBucket.includes(action)))
  )
}
