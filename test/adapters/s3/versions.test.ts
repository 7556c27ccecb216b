import { ListObjectVersionsCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { conformance } from '../../../src/conformance/index.ts'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { bytesOf, newBucket, streamOf, type TestBucket } from './bucket.ts'

const PARTS = { partSizeBytes: 5 * 2 ** 20, multipartThresholdBytes: 5 * 2 ** 20 }

/** What the bucket really holds: every version and every delete marker, by key. */
async function held({ client, bucket }: TestBucket): Promise<{ versions: string[]; markers: string[] }> {
  const { Versions = [], DeleteMarkers = [] } = await client.send(
    new ListObjectVersionsCommand({ Bucket: bucket }),
  )
  return {
    versions: Versions.map(({ Key, VersionId }) => `${Key} ${VersionId}`).sort(),
    markers: DeleteMarkers.map(({ Key }) => Key!),
  }
}

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

  test('every way to store tells the version that it made', async () => {
    const bucket = await newBucket(server, { versioned: true })
    const files = bucket.files({ ...PARTS, copyThresholdBytes: 5 * 2 ** 20, copyPartSizeBytes: 5 * 2 ** 20 })
    const stored = [
      await files.upload('put', 'x'),
      await files.upload('parts', bytesOf(6 * 2 ** 20)),
      await files.upload('stream', streamOf(6 * 2 ** 20)),
      await files.copy('put', 'copied'),
      await files.copy('parts', 'copied-in-parts'),
      await files.move('copied', 'moved'),
    ]
    const { versions } = await held(bucket)
    for (const { key, versionId } of stored) expect(versions).toContain(`${key} ${versionId}`)
  })

  test('deleting both versions by their ids leaves neither bytes nor a marker', async () => {
    const bucket = await newBucket(server, { versioned: true })
    const files = bucket.files()
    const first = await files.upload('a', 'one')
    const second = await files.upload('a', 'two')
    expect(await files.delete('a', { versionId: second.versionId! })).toEqual({
      key: 'a',
      status: 'gone',
      versionId: second.versionId,
    })
    expect(await held(bucket)).toEqual({ versions: [`a ${first.versionId}`], markers: [] })
    expect(await files.deleteMany([{ key: 'a', versionId: first.versionId! }])).toEqual([
      { key: 'a', status: 'gone', versionId: first.versionId },
    ])
    expect(await held(bucket)).toEqual({ versions: [], markers: [] })
    await expect(files.info('a')).rejects.toMatchObject({ code: 'not-found' })
  })

  test('a delete marker is removed by its version, and what it hid is there again', async () => {
    const bucket = await newBucket(server, { versioned: true })
    const files = bucket.files()
    await files.upload('a', 'one')
    const hidden = await files.delete('a')
    const versionId = hidden.status === 'gone' ? hidden.versionId! : ''
    expect(await files.deleteMany([{ key: 'a', versionId }])).toEqual([
      { key: 'a', status: 'gone', versionId },
    ])
    expect((await held(bucket)).markers).toEqual([])
    expect(await (await files.download('a')).text()).toBe('one')
  })

  test.each(['batch', 'single'] as const)(
    'several versions of one key go at once, by %s',
    async deleteMethod => {
      const bucket = await newBucket(server, { versioned: true })
      const files = bucket.files({ deleteMethod })
      const infos = []
      for (const body of ['one', 'two', 'three']) infos.push(await files.upload('a', body))
      const results = await files.deleteMany([infos[0]!, infos[2]!, infos[0]!])
      expect(results).toEqual(
        [infos[0]!, infos[2]!, infos[0]!].map(({ versionId }) => ({ key: 'a', status: 'gone', versionId })),
      )
      expect(await held(bucket)).toEqual({ versions: [`a ${infos[1]!.versionId}`], markers: [] })
    },
  )

  test('a version that never was deletes nothing', async () => {
    const bucket = await newBucket(server, { versioned: true })
    const files = bucket.files()
    const { versionId } = await files.upload('a', 'one')
    const other = await files.upload('b', 'two')
    await files.delete('a', { versionId: other.versionId! }).catch(() => {})
    await files.deleteMany([{ key: 'a', versionId: 'no-such-version' }])
    expect((await held(bucket)).versions).toContain(`a ${versionId}`)
    expect((await held(bucket)).markers).toEqual([])
  })

  const cases = conformance({
    name: `s3 on ${server.name}, versioned`,
    create: async () => (await newBucket(server, { versioned: true })).files(),
  }).filter(({ id }) => id.startsWith('versions/'))
  test.each(cases)('$title', async ({ run }) => {
    expect(await run()).toEqual({ status: 'passed' })
  })
})

describeOnS3Servers('s3 buckets without versions', server => {
  test('tell no version, and lose nothing to one that is made up', async () => {
    const files = (await newBucket(server)).files()
    expect(await files.upload('a', 'one')).not.toHaveProperty('versionId')
    expect(await files.copy('a', 'b')).not.toHaveProperty('versionId')
    await files.delete('a', { versionId: '3HL4kqtJlcpXroDTDmjVBH40Nrjfkd' }).catch(() => {})
    await files.deleteMany([{ key: 'b', versionId: '3HL4kqtJlcpXroDTDmjVBH40Nrjfkd' }])
    expect([await files.exists('a'), await files.exists('b')]).toEqual([true, true])
  })
})
