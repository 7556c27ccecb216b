import { expect, test } from 'vitest'
import { forward } from '../../../src/decorators/forward.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { migrated, twoSides } from '../copy/two-sides.ts'

/** As the list of a store, or an adapter, that does not keep to the order of keys. */
test.each(['from', 'to'] as const)(
  'a list out of order of %s ends a plan before anything is taken for gone',
  async side => {
    const sides = await twoSides({ a: 'one', b: 'two', c: 'three' })
    await migrated(sides)
    const store = sides[side]
    const unordered = forward(store, {
      list(options) {
        const listing = store.list(options)
        return {
          ...listing,
          async *pages() {
            for await (const page of listing.pages()) yield [...page].reverse()
          },
        }
      },
    })
    const broken = { ...sides, [side]: unordered }
    await expect(migrate(broken).plan()).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('order'),
    })
    await expect(migrate(broken).verify()).rejects.toMatchObject({ code: 'internal' })
    expect((await migrate(sides).status()).byState).toMatchObject({
      copied: { objects: 3 },
      gone: { objects: 0 },
    })
  },
)
