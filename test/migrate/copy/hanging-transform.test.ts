import { expect, test } from 'vitest'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { BodyTransform } from '../../../src/migrate/migrate-options.ts'
import { twoSides } from './two-sides.ts'

const never = () => new Promise<never>(() => {})

const HANGING: readonly (readonly [string, BodyTransform])[] = [
  ['begins', never],
  [
    'gives bytes',
    async function* () {
      yield await never()
    },
  ],
  [
    'ends',
    async function* () {
      yield Buffer.alloc(9 * 2 ** 20)
      await never()
    },
  ],
]

test.each(HANGING)(
  'a run whose transform never %s ends when it is told to',
  async (_, transform) => {
    const sides = await twoSides({ a: 'a' })
    const ending = new AbortController()
    const called: BodyTransform = (body, object) => {
      setImmediate(() => ending.abort())
      return transform(body, object)
    }
    const migration = migrate({ ...sides, transform: called, signal: ending.signal })
    await migrate({ ...sides, transform: called }).plan()
    await expect(Promise.resolve(migration.run())).rejects.toMatchObject({ code: 'aborted' })
  },
  20_000,
)
