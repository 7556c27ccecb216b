import { expect, test } from 'vitest'
import { migrated } from './migrated.ts'

const OBJECTS = Object.fromEntries(Array.from({ length: 1300 }, (_, at) => [`k${at}`, `text ${at}`]))

test('a verification that was ended goes on where it was, and starts anew after a day', async () => {
  let clock = 1_800_000_000_000
  const { verify, statuses, to } = await migrated(OBJECTS, { now: () => clock })
  const ending = new AbortController()
  const ended = verify({
    level: 'content',
    signal: ending.signal,
    onEvent(event) {
      if (event.kind === 'verified' && event.checked === 900) ending.abort()
    },
  })
  await expect(ended).rejects.toMatchObject({ code: 'aborted' })
  const rest = await verify({ level: 'content' })
  expect(rest).toMatchObject({ complete: true, objects: 1300 })
  expect(rest.checked).toBeGreaterThanOrEqual(400)
  expect(rest.checked).toBeLessThan(1050)
  expect(new Set(Object.values(await statuses()))).toEqual(new Set(['match']))

  expect(await verify({ level: 'content' })).toMatchObject({ checked: 1300 })
  const again = new AbortController()
  const endedAgain = verify({
    level: 'content',
    signal: again.signal,
    onEvent(event) {
      if (event.kind === 'verified' && event.checked === 900) again.abort()
    },
  })
  await expect(endedAgain).rejects.toMatchObject({ code: 'aborted' })
  await to.upload('k0', 'other')
  clock += 86_400_001
  expect(await verify({ level: 'content' })).toMatchObject({ checked: 1299, statuses: { differ: 1 } })
}, 60_000)

test('one that goes on still looks at both lists: what went missing behind it is told', async () => {
  const { verify, statuses, from, to } = await migrated(OBJECTS)
  const ending = new AbortController()
  const ended = verify({
    level: 'attributes',
    signal: ending.signal,
    onEvent(event) {
      if (event.kind === 'verified' && event.checked === 900) ending.abort()
    },
  })
  await expect(ended).rejects.toMatchObject({ code: 'aborted' })
  await to.delete('k0')
  await from.delete('k1')
  await from.upload('k10', 'changed')
  const summary = await verify({ level: 'attributes' })
  expect(summary.checked).toBeLessThan(1050)
  expect(summary).toMatchObject({ complete: false, statuses: { match: 1297 } })
  expect(await statuses()).toMatchObject({ k0: 'missing-destination', k1: 'missing-source', k10: 'differ' })
}, 60_000)

test('findings of before the end are kept where it goes on', async () => {
  const { verify, statuses, to } = await migrated(OBJECTS)
  // Same key, size and attributes: its etag alone tells.
  await to.upload('k0', 'text X')
  const ending = new AbortController()
  const ended = verify({
    level: 'checksum',
    signal: ending.signal,
    onEvent(event) {
      if (event.kind === 'verified' && event.checked === 900) ending.abort()
    },
  })
  await expect(ended).rejects.toMatchObject({ code: 'aborted' })
  expect(await verify({ level: 'checksum' })).toMatchObject({
    complete: false,
    statuses: { match: 1299, differ: 1 },
  })
  expect((await statuses()).k0).toBe('differ')
}, 60_000)
