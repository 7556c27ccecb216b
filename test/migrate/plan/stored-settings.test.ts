import { S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { s3 } from '../../../src/adapters/s3/index.ts'
import { forward, prefix } from '../../../src/decorators/index.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { twoSides } from '../copy/two-sides.ts'

test('what has begun is verified and copied between the stores it began with, and others are not asked', async () => {
  const sides = await twoSides({ a: 'one' })
  const { from, to } = sides
  await migrate(sides).plan()
  await migrate(sides).run()
  const other = prefix(memory(), 'other')
  const others = { from: other, to: other, keys: (key: string) => `new/${key}` }
  for (const step of ['plan', 'run', 'verify'] as const) {
    const error = await migrate({ ...sides, ...others })
      [step]()
      .then(undefined, (error: Error) => error)
    expect(error).toMatchObject({
      code: 'conflict',
      message: `migrate: 'default' has begun with another source: ${from.location}, and now it is ${other.location}; another destination: ${to.location}, and now it is ${other.location}; another key conversion; go on with the same, or begin another migration under a new name`,
    })
  }
  expect(await migrate(sides).status()).toMatchObject({ byState: { copied: { objects: 1 } } })
})

test('a client that tells nobody its endpoint is not taken for another store, but another bucket is', async () => {
  const sides = await twoSides({ a: 'one' })
  const at = (bucket: string) => {
    const endpoint = 'http://127.0.0.1:9'
    const client = new S3Client({
      region: 'us-east-1',
      endpoint,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    })
    return Object.defineProperty(forward(sides.to), 'location', { value: s3({ bucket, client }).location })
  }
  const named = (bucket: string) => ({ ...sides, to: at(bucket) })
  for await (const _ of migrate(named('photos')));
  expect(await migrate(named('photos')).verify()).toMatchObject({ complete: true })
  await expect(migrate(named('others')).verify()).rejects.toThrow('another destination: s3://client-')
})

test('rules are named as what they are: other rules, another prefix', async () => {
  const sides = await twoSides({ a: 'one' })
  for await (const _ of migrate(sides));
  await expect(migrate({ ...sides, rules: 'new', prefix: 'a' }).verify()).rejects.toThrow(
    "'default' has begun with other rules; another prefix; go on",
  )
})

test('what was planned for other stores is not copied, but planned anew', async () => {
  const sides = await twoSides({ a: 'one' })
  await migrate(sides).plan()
  const other = migrate({ ...sides, to: memory() })
  await expect(other.run()).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('plan()'),
  })
  await other.plan()
  expect(await other.run()).toMatchObject({ copied: 1 })
})
