import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { DeleteResult, StorageProvider } from '../../src/core/provider.ts'
import { retry } from '../../src/decorators/index.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, recorded } from '../support/recorded.ts'

const denied = () => new StorageError('permission-denied', 'delete: not allowed')
const down = () => new StorageError('unavailable', 'delete: no answer')

/** A store that answers its first deletes as told, and does the rest. `effect`: whether it deletes all the same. */
function answering(answers: ((key: string) => StorageError)[], effect = false) {
  return changed((inner: StorageProvider) => ({
    async deleteMany(keys, options) {
      const all: { key: string }[] = []
      for await (const key of keys) all.push(typeof key === 'string' ? { key } : (key as { key: string }))
      const answer = answers.shift()
      if (answer === undefined) return inner.deleteMany(all, options)
      if (effect) await inner.deleteMany(all, options)
      return all.map(({ key }): DeleteResult => ({ key, status: 'error', error: answer(key) }))
    },
  }))
}

describe('delete with records', () => {
  it('hides the file from its first batch on, before a byte is gone', async () => {
    const seen: unknown[] = []
    const world = recorded({
      through: changed(inner => ({
        async deleteMany(keys, options) {
          seen.push(await world.files.exists('a.txt'), (await world.stored()).length)
          for await (const entry of world.files.list()) seen.push(entry)
          return inner.deleteMany(keys, options)
        },
      })),
    })
    await world.files.upload('a.txt', 'bytes')
    expect(await world.files.delete('a.txt')).toMatchObject({ key: 'a.txt', status: 'deleted' })
    expect(seen).toEqual([false, 1])
    expect(await world.stored()).toEqual([])
    expect(await world.files.jobs()).toEqual([])
    expect(await world.rows('SELECT * FROM t_default__files')).toEqual([])
    expect(await world.rows('SELECT * FROM t_default__metadata')).toEqual([])
  })

  it('says missing for what is not there, and asks the store nothing', async () => {
    const { files } = recorded({
      through: changed(() => ({
        deleteMany: () => Promise.reject(new Error('asked')),
      })),
    })
    expect(await files.delete('never')).toEqual({ key: 'never', status: 'missing' })
    expect(await files.deleteMany(['never', 'ever'])).toEqual([
      { key: 'never', status: 'missing' },
      { key: 'ever', status: 'missing' },
    ])
  })

  it('makes the file live again where the store refuses, and the caller gets its error', async () => {
    const { files, rows } = recorded({ through: answering([denied]) })
    const { etag } = await files.upload('a.txt', 'bytes', { metadata: { album: 'summer' } })
    await expect(files.delete('a.txt')).rejects.toSatisfy(hasCode('permission-denied'))
    expect(await files.info('a.txt')).toMatchObject({ etag, metadata: { album: 'summer' } })
    expect(await (await files.download('a.txt')).text()).toBe('bytes')
    expect(await files.jobs()).toEqual([])
    expect(await rows("SELECT * FROM t_default__metadata WHERE name = 'album'")).toHaveLength(1)
    expect(await files.delete('a.txt')).toMatchObject({ status: 'deleted' })
  })

  it('tries again, until the caller’s patience ends, what has no certain answer', async () => {
    const { files, stored } = recorded({ through: answering([down, down]), patienceMs: 5_000 })
    await files.upload('a.txt', 'bytes')
    expect(await files.delete('a.txt')).toMatchObject({ status: 'deleted' })
    expect(await stored()).toEqual([])
  })

  it('answers pending with the operation’s id then, keeps the file hidden, and a worker goes on', async () => {
    const world = recorded({ through: answering([down, down, down, down]), patienceMs: 2_000 })
    await world.files.upload('a.txt', 'bytes')
    const error = await world.files.delete('a.txt').catch(thrown => thrown as StorageError)
    expect(error).toSatisfy(hasCode('pending'))
    const [job] = await world.files.jobs()
    expect(job).toMatchObject({ kind: 'delete', status: 'failed', key: 'a.txt' })
    expect((error as StorageError).message).toContain(job!.operation)
    expect(await world.files.exists('a.txt')).toBe(false)
    world.advance(60_000)
    await world.files.recover()
    world.advance(60_000)
    await world.files.recover()
    world.advance(60_000)
    await world.files.recover()
    expect(await world.stored()).toEqual([])
    expect(await world.files.jobs()).toEqual([])
  })

  it('never brings a file back after an answer that may have been a deletion', async () => {
    const world = recorded({
      through: answering([down, denied, denied, denied, denied, denied]),
      patienceMs: 0,
    })
    await world.files.upload('a.txt', 'bytes')
    await expect(world.files.delete('a.txt')).rejects.toSatisfy(hasCode('pending'))
    for (let round = 0; round < 5; round++) {
      world.advance(3_600_000)
      await world.files.recover()
      expect(await world.files.exists('a.txt')).toBe(false)
    }
    world.advance(3_600_000)
    await world.files.recover()
    expect(await world.stored()).toEqual([])
  })

  it('never brings a file back where a try below, in retry, had no certain answer before the refusal', async () => {
    const { files } = recorded({
      patienceMs: 0,
      through: store => retry(answering([down, denied])(store), { attempts: 2, sleep: async () => {} }),
    })
    await files.upload('a.txt', 'bytes')
    await expect(files.delete('a.txt')).rejects.toSatisfy(hasCode('pending'))
    expect(await files.exists('a.txt')).toBe(false)
  })

  it('never brings a file back whose bytes are gone, though the store says it refused', async () => {
    const world = recorded({ through: answering([denied], true), patienceMs: 0 })
    await world.files.upload('a.txt', 'bytes')
    await expect(world.files.delete('a.txt')).rejects.toSatisfy(hasCode('pending'))
    expect(await world.files.exists('a.txt')).toBe(false)
    world.advance(60_000)
    await world.files.recover()
    expect(await world.files.jobs()).toEqual([])
  })

  it('puts what fails too often on the stuck list, tells, and goes on when a person says so', async () => {
    const world = recorded({
      through: answering(Array.from({ length: 3 }, () => down)),
      patienceMs: 0,
      maxAttempts: 3,
    })
    await world.files.upload('a.txt', 'bytes')
    await world.files.delete('a.txt').catch(() => {})
    for (let round = 0; round < 4; round++) {
      world.advance(3_600_000)
      await world.files.recover()
    }
    const [job] = await world.files.jobs({ stuck: true })
    expect(job).toMatchObject({ status: 'stuck', attempts: 3, error: 'unavailable: delete: no answer' })
    expect(world.events.map(event => event.kind)).toEqual(['job-failed', 'job-failed', 'job-stuck'])
    expect(world.events.at(-1)).toMatchObject({ severity: 'alarm', tenant: 'default' })
    await expect(world.files.cancelJob(job!.id)).rejects.toSatisfy(hasCode('conflict'))
    await world.files.retryJob(job!.id)
    await world.files.recover()
    expect(await world.stored()).toEqual([])
    expect(await world.files.jobs()).toEqual([])
  })

  it('closes on missing only where the credential sees everything', async () => {
    const missing = changed(inner => ({
      async deleteMany(keys) {
        const results: DeleteResult[] = []
        for await (const key of keys)
          results.push({
            key: typeof key === 'string' ? key : (key as { key: string }).key,
            status: 'missing',
          })
        return results
      },
      name: inner.name,
    }))
    const all = recorded({ through: missing })
    await all.files.upload('a.txt', 'bytes')
    expect(await all.files.delete('a.txt')).toMatchObject({ status: 'deleted' })
    const some = recorded({ through: missing, seesEverything: false, patienceMs: 0 })
    await some.files.upload('a.txt', 'bytes')
    await expect(some.files.delete('a.txt')).rejects.toSatisfy(hasCode('pending'))
    expect(await some.files.jobs()).toHaveLength(1)
  })

  it('takes no delete marker for a deletion', async () => {
    const { files } = recorded({
      patienceMs: 0,
      through: changed(() => ({
        async deleteMany(keys) {
          const results: DeleteResult[] = []
          for await (const key of keys)
            results.push({
              key: typeof key === 'string' ? key : (key as { key: string }).key,
              status: 'gone',
              deleteMarker: true,
            })
          return results
        },
      })),
    })
    await files.upload('a.txt', 'bytes')
    await expect(files.delete('a.txt')).rejects.toSatisfy(hasCode('pending'))
    expect((await files.jobs())[0]).toMatchObject({ kind: 'delete', status: 'failed' })
  })

  it('records the version at upload and names it at delete', async () => {
    const named: unknown[] = []
    const { files } = recorded({
      through: changed(inner => ({
        get capabilities() {
          return { ...inner.capabilities, versionedDelete: true }
        },
        upload: async (key, body, options) => ({
          ...(await inner.upload(key, body, options)),
          versionId: 'v1',
        }),
        async deleteMany(keys) {
          const results: DeleteResult[] = []
          for await (const key of keys) {
            named.push(key)
            results.push({ key: (key as { key: string }).key, status: 'deleted' })
          }
          return results
        },
      })),
    })
    const { etag } = await files.upload('a.txt', 'bytes')
    await files.delete('a.txt')
    expect(named).toEqual([{ key: `default/a.${etag}.txt`, versionId: 'v1' }])
  })

  it('does not touch a file that is uploaded again while the old one is deleted', async () => {
    const world = recorded({
      patienceMs: 0,
      through: answering([down]),
    })
    await world.files.upload('a.txt', 'old')
    await world.files.delete('a.txt').catch(() => {})
    const { etag } = await world.files.upload('a.txt', 'new', { ifNoneMatch: '*' })
    world.advance(60_000)
    await world.files.recover()
    expect(await (await world.files.download('a.txt')).text()).toBe('new')
    expect(await world.stored()).toEqual([`default/a.${etag}.txt`])
    expect(await world.files.jobs()).toEqual([])
  })

  it('deletes many with one batch per thousand and one request each', async () => {
    const calls: number[] = []
    const world = recorded({
      through: changed(inner => ({
        async deleteMany(keys, options) {
          const all: string[] = []
          for await (const key of keys) all.push(typeof key === 'string' ? key : (key as { key: string }).key)
          calls.push(all.length)
          return inner.deleteMany(all, options)
        },
      })),
    })
    const keys = Array.from({ length: 1_500 }, (_, index) => `many/${index}.txt`)
    await Promise.all(keys.map(key => world.files.upload(key, 'x')))
    const results = await world.files.deleteMany([...keys, 'missing', keys[0]!])
    expect(results.map(result => result.status).filter(status => status === 'deleted')).toHaveLength(1_500)
    expect(results.at(-2)).toEqual({ key: 'missing', status: 'missing' })
    expect(results.map(result => result.key)).toEqual([...keys, 'missing', keys[0]])
    expect(calls.sort()).toEqual([1_000, 500])
    expect(await world.stored()).toEqual([])
  })

  it('deletes the generation that ifMatch names, and no other', async () => {
    const { files } = recorded()
    const first = await files.upload('a.txt', 'one')
    await files.upload('a.txt', 'two')
    await expect(files.delete('a.txt', { ifMatch: first.etag! })).rejects.toSatisfy(
      hasCode('precondition-failed'),
    )
    expect(await files.exists('a.txt')).toBe(true)
  })
})
