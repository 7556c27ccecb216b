import { expect, test } from 'vitest'
import { migrate } from '../../../src/migrate/migrate.ts'
import { reportHtml } from '../../../src/migrate/report/report-html.ts'
import { twoSides, migrated as whole } from '../copy/two-sides.ts'
import { migrated } from './migrated.ts'

test('a source that lists nothing any more, as a folder that is not mounted, makes nothing complete', async () => {
  const sides = await twoSides({ a: 'one', b: 'two' })
  expect((await whole(sides)).result.complete).toBe(true)
  await sides.from.deleteMany(['a', 'b'])
  expect((await whole(sides)).result.complete).toBe(false)
  expect(await reportHtml(await migrate(sides).manifest())).toContain(
    'The source has none of its objects any more',
  )
  await sides.from.upload('a', 'one')
  await sides.from.upload('b', 'two')
  expect((await whole(sides)).result).toMatchObject({ complete: true })
})

test('a source that was empty from the beginning is complete, and one that has lost some of its objects, too', async () => {
  const { from, run, verify, to } = await migrated({})
  expect((await verify()).complete).toBe(true)
  await from.upload('a', 'one')
  await from.upload('b', 'two')
  await run()
  await from.delete('b')
  await to.delete('b')
  await run()
  expect((await verify()).complete).toBe(true)
})
