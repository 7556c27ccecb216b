import { expect, test } from 'vitest'
import { isStorageError } from '../../../src/core/errors.ts'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { keysOf, newBucket } from './bucket.ts'

/** What each server keeps of the conditions, found by the probe. */
const KEPT = {
  minio: { conditionalDelete: false, createOnlyCopy: false },
  versitygw: { conditionalDelete: true, createOnlyCopy: false },
}
const EVERYWHERE = {
  createOnly: true,
  conditionalReplace: true,
  conditionalRead: true,
  conditionalCopySource: true,
}
const STALE = '00000000000000000000000000000000'

describeOnS3Servers('s3 conditions', server => {
  test('are found out by the probe, which leaves nothing behind', async () => {
    const files = (await newBucket(server)).files()
    expect(files.capabilities.conditionalDelete).toBe('unknown')
    expect(await files.probe()).toMatchObject({ ...EVERYWHERE, ...KEPT[server.name] })
    expect(await keysOf(files.list())).toEqual([])
  })

  test('create-only: one of eight at once wins, the others are already-exists or may try again', async () => {
    const files = (await newBucket(server)).files()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => files.upload('a', `writer ${i}`, { ifNoneMatch: '*' })),
    )
    const lost = outcomes.filter(outcome => outcome.status === 'rejected').map(outcome => outcome.reason)
    expect(lost).toHaveLength(7)
    for (const error of lost) expect(isStorageError(error, 'already-exists', 'conflict')).toBe(true)
  })

  test('replace: a stale etag and a missing object are precondition-failed', async () => {
    const files = (await newBucket(server)).files()
    const { etag } = await files.upload('a', 'one')
    await files.upload('a', 'two', { ifMatch: etag! })
    for (const key of ['a', 'missing'])
      await expect(files.upload(key, 'three', { ifMatch: etag! })).rejects.toMatchObject({
        code: 'precondition-failed',
      })
    expect(await (await files.download('a')).text()).toBe('two')
  })

  test('delete with a stale etag never deletes: refused by the server, or unsupported before anything is sent', async () => {
    const files = (await newBucket(server)).files()
    await files.upload('a', 'bytes')
    const code = KEPT[server.name].conditionalDelete ? 'precondition-failed' : 'unsupported'
    await expect(files.delete('a', { ifMatch: STALE })).rejects.toMatchObject({ code })
    expect(await files.exists('a')).toBe(true)
  })

  test('copy onto nothing but a free key is unsupported, and the destination stays', async () => {
    const files = (await newBucket(server)).files()
    await files.upload('a', 'one')
    await files.upload('b', 'two')
    await expect(files.copy('a', 'b', { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'unsupported' })
    expect(await (await files.download('b')).text()).toBe('two')
  })

  test('multipart: create-only holds at its completion, and no part stays', async () => {
    const { files: provider, unfinished } = await newBucket(server)
    const files = provider({ partSizeBytes: 5 * 2 ** 20, multipartThresholdBytes: 5 * 2 ** 20 })
    await files.upload('a', 'one')
    const large = new Uint8Array(6 * 2 ** 20)
    await expect(files.upload('a', large, { ifNoneMatch: '*' })).rejects.toMatchObject({
      code: 'already-exists',
    })
    expect(await (await files.download('a')).text()).toBe('one')
    expect(await unfinished()).toEqual([])
  })

  test('two that ask at once wait for one probe', async () => {
    const files = (await newBucket(server)).files()
    const both = await Promise.all([files.probe(), files.probe()])
    expect(both[0]).toEqual(both[1])
  })
})
