import { expect, test } from 'vitest'
import { migrated, ofKind, twoSides } from './two-sides.ts'

const MIB = 2 ** 20

test('a body that goes as a stream tells what has been sent, some MiB at a time', async () => {
  const sides = await twoSides({ large: Buffer.alloc(30 * MIB), small: 'small' })
  const { events, result } = await migrated(sides)
  expect(result).toMatchObject({ complete: true, copied: 2 })
  const parts = ofKind(events, 'part')
  expect(new Set(parts.map(({ key }) => key))).toEqual(new Set(['large']))
  const sent = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  expect(sent).toBeGreaterThan(20 * MIB)
  expect(sent).toBeLessThanOrEqual(30 * MIB)
  expect(parts.length).toBeLessThanOrEqual(8)
  const last = events.findIndex(event => event.kind === 'copied' && event.row.sourceKey === 'large')
  expect(events.indexOf(parts.at(-1)!)).toBeLessThan(last)
}, 60_000)
