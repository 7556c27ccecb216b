import { describe, expect, it } from 'vitest'
import type { StorageProvider } from '../../src/core/provider.ts'
import type { Engine } from '../../src/sql/engine.ts'
import { forwardEngine } from '../support/forward-engine.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, recorded } from '../support/recorded.ts'

/** What happened, in order: batches by the tail of their id, and calls of the store. */
function diary() {
  const lines: string[] = []
  return {
    lines,
    throughEngine: (engine: Engine): Engine =>
      forwardEngine(engine, {
        async batch(statements, options) {
          if (options?.id?.includes(':')) lines.push(options.id.slice(options.id.indexOf(':') + 1))
          return engine.batch(statements, options)
        },
      }),
    through: changed(inner => ({
      upload(key, body, options) {
        lines.push('put')
        return inner.upload(key, body, options)
      },
      deleteMany(keys, options) {
        lines.push('remove')
        return inner.deleteMany(keys, options)
      },
    })),
  }
}

describe('upload with records', () => {
  it('journals the intent, puts the bytes, and publishes them in one batch: two batches in all', async () => {
    const { lines, ...through } = diary()
    const { files } = recorded(through)
    await files.upload('a/photo.jpg', 'bytes')
    expect(lines).toEqual(['intent', 'put', 'publish'])
  })

  it('gives each upload a physical key of its own, in lower case, that keeps folder, stem and extension', async () => {
    const { files, stored } = recorded({ tenant: 'acme' })
    const { etag } = await files.upload('a/photo.jpg', 'bytes')
    expect(await stored()).toEqual([`acme/a/photo.${etag}.jpg`])
    expect(etag).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/)
    expect(await files.physicalKey('a/photo.jpg')).toBe(`acme/a/photo.${etag}.jpg`)
  })

  it('shortens a long stem, between characters', async () => {
    const { files, stored } = recorded()
    const { etag } = await files.upload(`${'ü'.repeat(300)}.txt`, 'bytes')
    expect(await stored()).toEqual([`default/${'ü'.repeat(50)}.${etag}.txt`])
  })

  it('never overwrites bytes: a replace leaves the old ones for the grace, and then they go', async () => {
    const { files, stored, advance } = recorded({ replaceGraceMs: 900_000 })
    const first = await files.upload('a.txt', 'first')
    const second = await files.upload('a.txt', 'second')
    const [old, young] = [`default/a.${first.etag}.txt`, `default/a.${second.etag}.txt`]
    expect(await stored()).toEqual([old, young])
    advance(899_000)
    await files.recover()
    expect(await stored()).toEqual([old, young])
    advance(2_000)
    await files.recover()
    expect(await stored()).toEqual([young])
  })

  it('deletes replaced bytes at once where the grace is 0, and after the new ones are published', async () => {
    const { lines, ...through } = diary()
    const { files, stored } = recorded({ ...through, replaceGraceMs: 0 })
    await files.upload('a.txt', 'first')
    const { etag } = await files.upload('a.txt', 'second')
    expect(lines).toEqual(['intent', 'put', 'publish', 'intent', 'put', 'publish', 'remove', 'close'])
    expect(await stored()).toEqual([`default/a.${etag}.txt`])
  })

  it('keeps replaced bytes as long as the oldest backup that may come back', async () => {
    const { files, stored, advance } = recorded({ replaceGraceMs: 0, keepForBackupsMs: 86_400_000 })
    await files.upload('a.txt', 'first')
    await files.upload('a.txt', 'second')
    advance(86_000_000)
    await files.recover()
    expect(await stored()).toHaveLength(2)
    advance(401_000)
    await files.recover()
    expect(await stored()).toHaveLength(1)
  })

  it('lets the later batch win of two plain uploads, and fails neither', async () => {
    const { files } = recorded()
    await Promise.all([files.upload('a.txt', 'one'), files.upload('a.txt', 'two')])
    const info = await files.info('a.txt')
    expect(['one', 'two']).toContain(await (await files.download('a.txt')).text())
    expect(info.size).toBe(3)
  })

  it('compares generations under ifMatch, so that the same bytes again are another file', async () => {
    const { files } = recorded()
    const first = await files.upload('a.txt', 'same')
    const second = await files.upload('a.txt', 'same')
    expect(second.etag).not.toBe(first.etag)
    await expect(files.upload('a.txt', 'x', { ifMatch: first.etag })).rejects.toSatisfy(
      hasCode('precondition-failed'),
    )
    await files.upload('a.txt', 'x', { ifMatch: second.etag })
  })

  it('stores no bytes where a condition does not hold already', async () => {
    const { files, stored } = recorded()
    await files.upload('a.txt', 'first')
    await expect(files.upload('a.txt', 'second', { ifNoneMatch: '*' })).rejects.toSatisfy(
      hasCode('already-exists'),
    )
    expect(await stored()).toHaveLength(1)
  })

  it('publishes nothing where the store has another number of bytes than were sent', async () => {
    const { files, stored, events } = recorded({
      through: changed(inner => ({
        async upload(key, _body, options) {
          return inner.upload(key, 'shor', { ...options, size: 4 })
        },
      })),
    })
    await expect(files.upload('a.txt', 'short')).rejects.toThrow()
    await expect(files.info('a.txt')).rejects.toSatisfy(hasCode('not-found'))
    expect(await stored()).toEqual([])
    expect(events).toEqual([])
  })

  it('deletes what a failed upload may have left, and looks again later for what arrives late', async () => {
    let late: (() => Promise<unknown>) | undefined
    const { files, store, stored, advance } = recorded({
      lateMs: 3_600_000,
      through: changed(inner => ({
        async upload(key, body, options) {
          late = () => inner.upload(key, 'late')
          await inner.upload(key, body, options)
          throw new TypeError('the connection broke')
        },
      })),
    })
    await expect(files.upload('a.txt', 'bytes')).rejects.toThrow()
    expect(await stored()).toEqual([])
    await late!()
    expect(await stored()).toHaveLength(1)
    expect((await files.jobs()).map(job => job.kind)).toEqual(['tombstone'])
    advance(3_601_000)
    await files.recover()
    expect(await stored()).toEqual([])
    expect(await files.jobs()).toEqual([])
    expect(store.name).toBe('memory')
  })

  it('gives a writer up that was silent longer than its lease, and that writer publishes nothing', async () => {
    let reached: () => void = () => {}
    let go: () => void = () => {}
    const inPut = new Promise<void>(resolve => {
      reached = resolve
    })
    const gate = new Promise<void>(resolve => {
      go = resolve
    })
    const slow = changed((inner: StorageProvider) => ({
      async upload(key, body, options) {
        reached()
        await gate
        return inner.upload(key, body, { ...options, signal: undefined })
      },
    }))
    const world = recorded({ through: slow, leaseMs: 30_000 })
    const upload = world.files.upload('a.txt', 'bytes')
    upload.catch(() => {})
    await inPut
    const other = world.another()
    await other.recover()
    world.advance(31_000)
    expect(await other.recover()).toMatchObject({ worked: 1 })
    go()
    await expect(upload).rejects.toSatisfy(hasCode('conflict'))
    await expect(world.files.info('a.txt')).rejects.toSatisfy(hasCode('not-found'))
    // The bytes came after they had been given up: the tombstone is for them.
    expect(await world.stored()).toHaveLength(1)
    world.advance(3_601_000)
    await other.recover()
    expect(await world.stored()).toEqual([])
  })

  it('takes over at once from a process of this machine that has ended, and from nobody that may be alive', async () => {
    const world = recorded({
      through: changed(inner => ({
        upload: async (key, body, options) => {
          await inner.upload(key, body, options)
          return new Promise(() => {})
        },
      })),
    })
    // A name as this machine makes them, of a process that is not there.
    const ended = (await import('../../src/core/process-owner.ts')).PROCESS_OWNER.replace(
      /-\d+-\d+-/,
      '-4194303-1-',
    )
    const dead = world.another({ owner: ended })
    void dead.upload('a.txt', 'bytes').catch(() => {})
    void world
      .another()
      .upload('b.txt', 'bytes')
      .catch(() => {})
    await expect.poll(async () => (await world.stored()).length).toBe(2)
    expect(await world.files.recover()).toMatchObject({ worked: 1 })
    expect((await world.stored()).map(key => key.slice(0, 9))).toEqual(['default/b'])
  })
})
