import { expect, test } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { StorageError } from '../../../src/core/errors.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { migrated } from './migrated.ts'

const OBJECTS = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`k${at}`, `text ${at}`]))

test('a whole verification costs the two lists and one request an object', async () => {
  const { verify, calls } = await migrated(OBJECTS)
  await verify({ level: 'checksum' })
  expect(calls).toEqual({ 'from.page': 1, 'to.page': 1, 'to.info': 40 })
})

test('only what is pending is looked at where that is asked for: nothing on a finished migration', async () => {
  const { verify, calls, to } = await migrated(OBJECTS)
  expect(await verify({ level: 'checksum', pendingOnly: true })).toMatchObject({ complete: true, checked: 0 })
  expect(calls).toEqual({})
  expect(await verify({ level: 'content', pendingOnly: true })).toMatchObject({ complete: true, checked: 40 })
  expect(await verify({ level: 'content', pendingOnly: true })).toMatchObject({ complete: true, checked: 0 })
  await to.delete('k7')
  await verify({ level: 'attributes' })
  expect(await verify({ level: 'attributes', pendingOnly: true })).toMatchObject({
    checked: 1,
    complete: false,
  })
})

test('a range lists its part of the source and asks the destination for each object', async () => {
  const { verify, calls, to } = await migrated(OBJECTS)
  await to.delete('k12')
  await to.delete('k30')
  const summary = await verify({ level: 'attributes', range: { after: 'k10', through: 'k19' } })
  expect(calls).toEqual({ 'from.page': 1, 'to.info': 9 })
  expect(summary).toMatchObject({ checked: 9, objects: 9, statuses: { match: 8, 'missing-destination': 1 } })
})

test('what a store refuses for now is asked for again, and then told as an error', async () => {
  const inner = memory()
  const busy = new Map<string, number>()
  const to = forward(inner, {
    async info(key, options) {
      const left = busy.get(key) ?? 0
      busy.set(key, left - 1)
      if (left > 0) throw new StorageError('unavailable', 'info: busy', { retryable: true })
      return inner.info(key, options)
    },
  })
  const { verify, statuses, row } = await migrated(OBJECTS, { to })
  busy.set('k3', 4).set('k4', 5)
  expect(await verify({ level: 'attributes' })).toMatchObject({
    complete: false,
    statuses: { match: 39, error: 1 },
  })
  expect(await statuses()).toMatchObject({ k3: 'match', k4: 'error' })
  expect(await row('k4')).toMatchObject({ errorCode: 'unavailable', errorMessage: 'info: busy' })
  expect(await verify({ level: 'attributes' })).toMatchObject({ complete: true })
  expect((await row('k4')).errorCode).toBeUndefined()
})

test('a store that answers nobody ends it, and so do wrong credentials', async () => {
  const inner = memory()
  let failure: StorageError | undefined
  const to = forward(inner, {
    async info(key, options) {
      if (failure !== undefined) throw failure
      return inner.info(key, options)
    },
  })
  const many = Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`k${at}`, '']))
  const { verify } = await migrated(many, { to })
  failure = new StorageError('unavailable', 'info: down', { retryable: true })
  await expect(verify({ level: 'attributes' })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/50 objects in a row.*info: down/),
  })
  failure = new StorageError('unauthenticated', 'info: who are you', {})
  await expect(verify({ level: 'attributes' })).rejects.toMatchObject({ code: 'unauthenticated' })
})

test.each(['from', 'to'] as const)(
  'a list of `%s` that breaks off fails, and marks nothing as missing behind it',
  async side => {
    const inner = memory()
    let broken = false
    const store = forward(inner, {
      list(options) {
        const listing = inner.list({ ...options, pageSize: 10 })
        return {
          ...listing,
          async *pages() {
            let pages = 0
            for await (const page of listing.pages()) {
              if (broken && pages++ === 2)
                throw new StorageError('unavailable', 'list: cut', { retryable: true })
              yield page
            }
          },
        }
      },
    })
    const { verify, statuses } = await migrated(OBJECTS, { [side]: store })
    broken = true
    await expect(verify({ level: 'attributes' })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'list: cut',
    })
    expect(new Set(Object.values(await statuses()))).toEqual(new Set(['match']))
  },
)

test('what ends a verification is listened to a few times, however many objects there are', async () => {
  const objects = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`k${at}`, `${at}`]))
  const { verify } = await migrated(objects)
  const { signal } = new AbortController()
  let listeners = 0
  const { addEventListener } = signal
  signal.addEventListener = (...given: unknown[]) => {
    listeners++
    Reflect.apply(addEventListener, signal, given)
  }
  expect(await verify({ level: 'content', signal })).toMatchObject({ complete: true, checked: 200 })
  expect(listeners).toBeLessThan(20)
})
