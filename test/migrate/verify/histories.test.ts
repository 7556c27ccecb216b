import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'
import { migrated } from './migrated.ts'

/** What both sides hold, and what was copied, as a model has it. */
interface Model {
  readonly source: Map<string, string>
  readonly destination: Map<string, string>
  /** Destination key by source key, with what was copied. */
  readonly copied: Map<string, { text: string; touched: boolean; changed: boolean }>
}

function expected(
  { source, destination, copied }: Model,
  place: (key: string) => string,
): Record<string, string> {
  const statuses: Record<string, string> = {}
  const places = new Set<string>()
  for (const [key, { touched, changed }] of copied) {
    places.add(place(key))
    if (!destination.has(place(key))) statuses[key] = 'missing-destination'
    else if (touched) statuses[key] = 'differ'
    else if (!source.has(key)) statuses[key] = 'missing-source'
    else statuses[key] = changed ? 'differ' : 'match'
  }
  for (const key of source.keys()) if (!copied.has(key)) statuses[key] = 'missing-destination'
  for (const key of destination.keys()) if (!places.has(key)) statuses[key] = 'missing-source'
  return statuses
}

test.each(Array.from({ length: 12 }, (_, seed) => seed + 1))(
  'whatever happens to the two sides is told, history %i',
  async seed => {
    const random = seededRandom(seed)
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
    // Its order at the destination is another than at the source.
    const place = (key: string) => `to/${[...key].reverse().join('')}`
    const objects: Record<string, string> = {}
    const count = Math.floor(random() * 40)
    for (let at = 0; at < count; at++) objects[`k${Math.floor(random() * 100)}é${at % 3}`] = `text ${at}`
    const { from, to, verify, statuses } = await migrated(objects, { keys: place, destinationPrefix: 'to/' })
    const model: Model = {
      source: new Map(Object.entries(objects)),
      destination: new Map(Object.entries(objects).map(([key, text]) => [place(key), text])),
      copied: new Map(
        Object.entries(objects).map(([key, text]) => [key, { text, touched: false, changed: false }]),
      ),
    }
    for (let round = 0; round < 4; round++) {
      for (let step = Math.floor(random() * 8); step > 0; step--) {
        const key = random() < 0.75 && model.copied.size > 0 ? pick([...model.copied.keys()]) : `new${step}`
        const copy = model.copied.get(key)
        const text = `${step} of ${round}`
        switch (pick(['delete-source', 'delete-destination', 'write-source', 'write-destination'] as const)) {
          case 'delete-source':
            await from.delete(key)
            model.source.delete(key)
            break
          case 'delete-destination':
            await to.delete(place(key))
            model.destination.delete(place(key))
            break
          case 'write-source':
            await from.upload(key, text)
            model.source.set(key, text)
            if (copy) copy.changed = true
            break
          case 'write-destination':
            await to.upload(place(key), text)
            model.destination.set(place(key), text)
            if (copy) copy.touched = true
        }
      }
      const level = pick(['attributes', 'checksum', 'content'] as const)
      const summary = await verify({ level })
      const wanted = expected(model, place)
      expect(await statuses(), `round ${round}, level ${level}`).toEqual(wanted)
      expect(summary.complete).toBe(Object.values(wanted).every(status => status === 'match'))
    }
  },
)
