import { expect, test } from 'vitest'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { newBucket } from './bucket.ts'

describeOnS3Servers('s3 versioned buckets', server => {
  test('a delete marker is no deletion: it is said, with its version', async () => {
    const files = (await newBucket(server, { versioned: true })).files()
    const { versionId } = await files.upload('a', 'one')
    await files.upload('b', 'two')
    expect(versionId).toBeTruthy()
    expect(await files.delete('a')).toMatchObject({
      status: 'gone',
      deleteMarker: true,
      versionId: expect.any(String),
    })
    expect(await files.deleteMany(['b'])).toMatchObject([{ key: 'b', status: 'gone', deleteMarker: true }])
    expect(await files.exists('a')).toBe(false)
  })
})
