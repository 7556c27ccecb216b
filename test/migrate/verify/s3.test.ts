import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { newBucket } from '../../adapters/s3/bucket.ts'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { migrated } from './migrated.ts'

const MIB = 2 ** 20

describeOnS3Servers('verification of a copy', server => {
  test('made in parts proves its bytes by their checksums, and by reading', async () => {
    const { files } = await newBucket(server)
    const from = memory()
    await from.upload('large.bin', randomBytes(13 * MIB))
    await from.upload('small.bin', randomBytes(1000), { metadata: { a: '1' } })
    const { verify, statuses, row } = await migrated(
      {},
      { from, to: files(), limits: { largeObjectBytes: 6 * MIB, partBytes: 5 * MIB } },
    )
    expect((await row('large.bin')).destinationChecksum).toMatch(/^sha256-parts:5242880:/)
    for (const level of ['attributes', 'checksum', 'content'] as const) {
      expect(await verify({ level })).toMatchObject({ complete: true, statuses: { match: 2 } })
      expect(await statuses()).toEqual({ 'large.bin': 'match', 'small.bin': 'match' })
    }
  })

  test('tells headers and metadata that another hand has changed in place', async () => {
    const { files } = await newBucket(server)
    const to = files()
    const { verify, row } = await migrated(
      { a: 'one', b: 'two' },
      { to, attributes: info => ({ ...info, contentType: 'text/plain', metadata: { kept: 'yes' } }) },
    )
    expect(await verify({ level: 'checksum' })).toMatchObject({ complete: true })
    await to.copy('b', 'b', { metadata: { kept: 'no' } })
    expect(await verify({ level: 'attributes' })).toMatchObject({
      complete: false,
      statuses: { match: 1, differ: 1 },
    })
    expect((await row('b')).errorMessage).toMatch(
      /"kept": "yes" was sent, "no" is there|another object in its place/,
    )
  })
})
