import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import { listingOf } from '../../src/core/listing.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward } from '../../src/decorators/forward.ts'
import { hasCode } from '../support/has-code.ts'
import { type AuditedFiles, auditedFiles, DAY, HOUR, ORPHAN_ID } from './audited-files.ts'

const ORPHAN = `default/lost.${ORPHAN_ID}.txt`
const MINUTE = 60_000
/** The share of a bucket of some objects. */
const ANY = { maxShare: 1 }

async function keysOf(store: StorageProvider, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const entry of store.list({ prefix })) if (entry.kind === 'object') keys.push(entry.key)
  return keys
}

/** Some files and an orphan that was seen a grace ago. */
async function withRipeOrphan(made: AuditedFiles): Promise<void> {
  for (const key of ['a.txt', 'b.txt', 'c.txt']) await made.files.upload(key, key)
  await made.store.upload(ORPHAN, 'lost')
  await made.files.audit()
  made.advance(DAY + HOUR)
}

describe('collect', () => {
  it('is a dry run unless told otherwise', async () => {
    const made = auditedFiles()
    await withRipeOrphan(made)
    const report = await made.files.collect(ANY)
    expect(report).toMatchObject({ orphans: 1, orphanBytes: 4, applied: false, removed: 0 })
    expect(report.findings).toMatchObject([{ kind: 'orphan', physical: ORPHAN, size: 4 }])
    expect(await made.store.exists(ORPHAN)).toBe(true)
  })

  it('moves an orphan to quarantine, which goes after a grace, and touches nothing else', async () => {
    const made = auditedFiles()
    const { files, store } = made
    await withRipeOrphan(made)
    expect(await files.collect({ apply: true, ...ANY })).toMatchObject({ orphans: 1, removed: 1, pending: 0 })
    expect(await store.exists(ORPHAN)).toBe(false)
    const [copy, ...rest] = await keysOf(store, 'default/.stowage/quarantine/')
    expect(rest).toEqual([])
    expect(await (await store.download(copy!)).text()).toBe('lost')
    expect(await made.found()).toEqual([])
    made.advance(DAY - MINUTE)
    await files.recover()
    expect(await store.exists(copy!)).toBe(true)
    made.advance(2 * MINUTE)
    await files.recover()
    expect(await store.exists(copy!)).toBe(false)
    for (const key of ['a.txt', 'b.txt', 'c.txt']) expect(await (await files.download(key)).text()).toBe(key)
    expect(await made.found()).toEqual([])
  })

  it('sees an orphan twice, a grace apart, before it removes it', async () => {
    const made = auditedFiles()
    const { files, store, advance } = made
    await files.upload('a.txt', 'a')
    await store.upload(ORPHAN, 'lost')
    advance(3 * DAY)
    const apply = () => files.collect({ apply: true, ...ANY })
    expect(await apply()).toMatchObject({ orphans: 0, waiting: 1, removed: 0 })
    advance(DAY - MINUTE)
    expect(await apply()).toMatchObject({ orphans: 0, waiting: 1, removed: 0 })
    advance(2 * MINUTE)
    expect(await apply()).toMatchObject({ orphans: 1, waiting: 0, removed: 1 })
  })

  it('begins to wait again where the object was written again', async () => {
    const made = auditedFiles()
    await withRipeOrphan(made)
    await made.store.upload(ORPHAN, 'lost')
    for (const wait of [2 * DAY, DAY - MINUTE]) {
      made.advance(wait)
      expect(await made.files.collect({ apply: true, ...ANY })).toMatchObject({ orphans: 0, waiting: 1 })
    }
    made.advance(2 * MINUTE)
    expect(await made.files.collect({ apply: true, ...ANY })).toMatchObject({ orphans: 1, removed: 1 })
  })

  it('touches no object younger than the cut-off, by the clock of the store', async () => {
    const made = auditedFiles({
      // A list that shows the object as just written, although its etag and size are those seen before.
      between: store =>
        forward(store, {
          list: options =>
            listingOf({
              page: given =>
                store
                  .list(options)
                  .page(given)
                  .then(page => ({ ...page, items: page.items.map(young) })),
              async *pages() {
                for await (const page of store.list(options).pages()) yield page.map(young)
              },
            }),
        }),
    })
    const young = <Entry extends { kind: string }>(entry: Entry): Entry =>
      entry.kind === 'object' ? { ...entry, lastModified: new Date(made.clock.now) } : entry
    await withRipeOrphan(made)
    expect(await made.files.collect({ apply: true, ...ANY })).toMatchObject({ orphans: 0, waiting: 1 })
    expect(await made.store.exists(ORPHAN)).toBe(true)
  })

  it('deletes nothing when a page of the list fails (juicedata/juicefs#6479)', async () => {
    let fails = false
    const made = auditedFiles({
      between: store =>
        forward(store, {
          list: options =>
            listingOf({
              page: given => store.list(options).page(given),
              async *pages() {
                for await (const page of store.list({ ...options, pageSize: 2 }).pages()) {
                  yield page
                  if (fails && page.some(entry => entry.kind === 'object' && entry.key > 'default/lost'))
                    throw new StorageError('unavailable', 'list: the store is down')
                }
              },
            }),
        }),
    })
    await made.files.upload('z1.txt', 'z')
    await made.files.upload('z2.txt', 'z')
    await withRipeOrphan(made)
    const before = await keysOf(made.store)
    fails = true
    await expect(made.files.collect({ apply: true, ...ANY })).rejects.toSatisfy(hasCode('unavailable'))
    expect(await keysOf(made.store)).toEqual(before)
    fails = false
    expect(await made.files.collect({ apply: true, ...ANY })).toMatchObject({ removed: 1 })
  })

  it('reports what is not of our form, and removes it only where it is told that nobody else stores anything here', async () => {
    const made = auditedFiles()
    const { files, store, advance } = made
    await store.upload('default/foreign.txt', 'of another program')
    await files.upload('a.txt', 'a')
    for (let turn = 0; turn < 2; turn++) {
      expect(await files.collect({ apply: true, ...ANY })).toMatchObject({
        orphans: 0,
        foreign: 1,
        removed: 0,
      })
      advance(2 * DAY)
    }
    await files.collect({ apply: true, exclusive: true, ...ANY })
    advance(2 * DAY)
    expect(await files.collect({ apply: true, exclusive: true, ...ANY })).toMatchObject({
      orphans: 1,
      removed: 1,
    })
    expect(await store.exists('default/foreign.txt')).toBe(false)
    expect(await files.exists('a.txt')).toBe(true)
  })

  it('stops before it removes anything above a count or a part of the objects, and says so', async () => {
    const made = auditedFiles()
    const { files, store, advance } = made
    for (let n = 0; n < 10; n++) await files.upload(`${n}.txt`, 'x')
    for (const end of ['a', 'b', 'c']) await store.upload(`default/${end}.${ORPHAN_ID}.txt`, end)
    await files.audit()
    advance(2 * DAY)
    const before = await keysOf(store)
    const many = await files.collect({ apply: true, maxOrphans: 2, maxShare: 1 })
    expect(many).toMatchObject({ orphans: 3, applied: false, removed: 0, stopped: { reason: 'too-many' } })
    expect(many.stopped!.message).toContain('3 orphans are more than maxOrphans, 2')
    const share = await files.collect({ apply: true })
    expect(share).toMatchObject({ applied: false, removed: 0, stopped: { reason: 'too-many' } })
    expect(share.stopped!.message).toContain('1 %')
    expect(await keysOf(store)).toEqual(before)
    expect(await files.collect({ apply: true, maxShare: 0.5 })).toMatchObject({ removed: 3 })
  })

  it('stops where the clocks of the store and this machine differ by more than 30 seconds', async () => {
    let ahead = 0
    const made = auditedFiles({
      between: store =>
        forward(store, { clock: async () => new Date((await store.clock()).getTime() + ahead) }),
    })
    await withRipeOrphan(made)
    for (const ms of [33_000, -33_000]) {
      ahead = ms
      await expect(made.files.collect({ apply: true, ...ANY })).rejects.toThrow(/differ by 3\d seconds/)
    }
    expect(await made.store.exists(ORPHAN)).toBe(true)
    ahead = 29_000
    expect(await made.files.collect({ apply: true, ...ANY })).toMatchObject({ removed: 1 })
  })

  it('looks below its own root only', async () => {
    const made = auditedFiles({ tenant: 'acme' })
    const outside = `acme2/x.${ORPHAN_ID}.txt`
    await made.store.upload(outside, 'of another tenant')
    await made.store.upload(`x.${ORPHAN_ID}.txt`, 'of nobody')
    await made.files.upload('a.txt', 'a')
    expect(await made.files.audit()).toMatchObject({ clean: true, objects: 2 })
    made.advance(2 * DAY)
    expect(await made.files.collect({ apply: true, exclusive: true, ...ANY })).toMatchObject({
      orphans: 0,
      foreign: 0,
    })
    expect(await made.store.exists(outside)).toBe(true)
  })

  it('never removes a record that has no bytes', async () => {
    const made = auditedFiles()
    await withRipeOrphan(made)
    await made.store.delete(await made.files.physicalKey('a.txt'))
    await made.files.collect({ apply: true, ...ANY })
    expect((await made.files.info('a.txt')).size).toBe(5)
    expect(await made.found()).toEqual(['bytes-missing a.txt'])
  })

  it('leaves alone what the journal has taken up since it was listed', async () => {
    const made = auditedFiles({
      between: store =>
        forward(store, {
          async infoMany(keys, options) {
            const infos = await store.infoMany(keys, options)
            const asked = infos.some(({ key }) => key === ORPHAN)
            if (asked)
              await made.sql(
                "INSERT INTO t_default__files (key, generation, state, physical, size, metadata, adopted, created_at, modified_at) VALUES ('lost.txt', 'g', 'live', ?, 4, '{}', 0, 0, 0)",
                ORPHAN,
              )
            return infos
          },
        }),
    })
    await withRipeOrphan(made)
    expect(await made.files.collect({ apply: true, ...ANY })).toMatchObject({ orphans: 1, removed: 0 })
    expect(await made.store.exists(ORPHAN)).toBe(true)
  })

  it('removes left-over objects of its own areas, and keeps what their rows refer to', async () => {
    const made = auditedFiles({ restoreMs: 90 * DAY })
    const { files, store, advance } = made
    await files.upload('kept.txt', 'can be restored')
    await files.delete('kept.txt')
    const lost = ['staging', 'trash', 'quarantine'].map(
      area => `default/.stowage/${area}/01j8z6q4n3m2k1h0g9f8e7d6c5`,
    )
    for (const key of lost) await store.upload(key, 'x')
    expect((await made.found()).sort()).toEqual(lost.map(key => `orphan ${key}`).sort())
    advance(2 * DAY)
    expect(await files.collect({ apply: true, ...ANY })).toMatchObject({ orphans: 3, removed: 3 })
    await files.restore('kept.txt')
    expect(await (await files.download('kept.txt')).text()).toBe('can be restored')
  })

  it('ends uploads in parts that nobody can finish any more', async () => {
    const made = auditedFiles()
    const { files, parts, clock, advance } = made
    await files.upload('a.txt', 'a')
    const key = `default/film.${ORPHAN_ID}.mp4`
    parts.push({ key, uploadId: 'old', startedAt: new Date(clock.now) })
    parts.push({ key: 'default/foreign.mp4', uploadId: 'foreign', startedAt: new Date(clock.now) })
    parts.push({ key, uploadId: 'of unknown age' })
    advance(DAY + MINUTE)
    parts.push({ key, uploadId: 'young', startedAt: new Date(clock.now) })
    expect(await files.collect()).toMatchObject({ unfinished: 1, endedUploads: 0 })
    expect(await files.collect({ apply: true })).toMatchObject({ unfinished: 1, endedUploads: 1 })
    expect(parts.map(part => part.uploadId)).toEqual(['foreign', 'of unknown age', 'young'])
  })

  it('refuses limits that are none', async () => {
    const { files } = auditedFiles()
    for (const options of [
      { aply: true },
      { maxOrphans: 1e6 },
      { maxOrphans: 1.5 },
      { maxShare: 2 },
      { graceMs: -1 },
    ])
      await expect(files.collect(options as object)).rejects.toSatisfy(hasCode('invalid-argument'))
  })
})
