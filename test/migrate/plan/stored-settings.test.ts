import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { twoSides } from '../copy/two-sides.ts'

test('what has begun is verified and copied between the stores it began with, and others are not asked', async () => {
  const sides = await twoSides({ a: 'one' })
  const { from, to } = sides
  await migrate(sides).plan()
  await migrate(sides).run()
  const other = memory()
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
