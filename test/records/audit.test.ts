import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import { listingOf } from '../../src/core/listing.ts'
import { PROCESS_OWNER } from '../../src/core/process-owner.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { unfinishedUploadsOf } from '../../src/core/unfinished-uploads.ts'
import { forward } from '../../src/decorators/forward.ts'
import { hasCode } from '../support/has-code.ts'
import { type AuditedFiles, auditedFiles, DAY, HOUR, ORPHAN_ID, type Setting } from './audited-files.ts'

describe('an audit', () => {
  it('finds nothing where nothing is wrong, also after replaces, deletes, copies, moves and restores', async () => {
    const { files, found } = auditedFiles({ restoreMs: DAY })
    await files.upload('a.txt', '1')
    await files.upload('a.txt', '2')
    await files.copy('a.txt', 'b/ä 😀.txt')
    await files.move('a.txt', 'c.txt')
    await files.upload('d.txt', '4')
    await files.delete('d.txt')
    await files.delete('c.txt')
    await files.restore('c.txt')
    expect(await found()).toEqual([])
    expect(await files.audit()).toMatchObject({
      records: 2,
      clean: true,
      tenant: 'default',
      root: 'default/',
      epoch: 1,
    })
  })

  it('finds a planted orphan, a record without bytes, a size that differs, a stale intent and an unfinished upload, and nothing else', async () => {
    const { files, store, found, parts, advance, sql, clock } = auditedFiles()
    for (const key of ['a', 'b', 'c', 'd', 'e']) await files.upload(`${key}.txt`, key)
    const orphan = `default/c.${ORPHAN_ID}.txt`
    await store.upload(orphan, 'nobody knows')
    await store.delete(await files.physicalKey('a.txt'))
    await store.upload(await files.physicalKey('b.txt'), 'longer than recorded')
    await sql(
      "INSERT INTO t_default__journal (id, operation, kind, state, key, physical, owner, fence, beat, due_at, attempts, refusals, answered, stuck, data, created_at) VALUES ('x', 'x', 'write', 'open', 'late.txt', 'default/late.01j8z6q4n3m2k1h0g9f8e7d6c6.txt', 'elsewhere', 1, 0, ?, 0, 0, 0, 0, '{}', ?)",
      BigInt(clock.now),
      BigInt(clock.now),
    )
    parts.push({ key: `default/f.${ORPHAN_ID}.mp4`, uploadId: 'u1', startedAt: new Date(clock.now) })
    advance(2 * HOUR)
    parts.push({ key: `default/young.${ORPHAN_ID}.mp4`, uploadId: 'u2', startedAt: new Date(clock.now) })
    expect((await found()).sort()).toEqual([
      'bytes-missing a.txt',
      `orphan ${orphan}`,
      'size-differs b.txt',
      'stale-intent late.txt',
      `unfinished-upload default/f.${ORPHAN_ID}.mp4`,
    ])
  })

  it('finds bytes of the same size that are others, by their checksum, or by their etag where there is none', async () => {
    const { files, store, found } = auditedFiles()
    await files.upload('a.txt', 'one')
    await store.upload(await files.physicalKey('a.txt'), 'two')
    expect(await found()).toEqual(['checksum-differs a.txt'])

    const bare = auditedFiles({ between: withoutChecksums })
    await bare.files.upload('a.txt', 'one')
    await bare.files.upload('b.txt', 'one')
    expect(await bare.found()).toEqual([])
    await bare.store.upload(await bare.files.physicalKey('a.txt'), 'two')
    expect(await bare.found()).toEqual(['etag-differs a.txt'])
  })

  it('takes the same bytes for the same, also where they were brought back under another etag', async () => {
    const { files, store, found } = auditedFiles()
    await files.upload('a.txt', 'one')
    const physical = await files.physicalKey('a.txt')
    await store.delete(physical)
    expect(await found()).toEqual(['bytes-missing a.txt'])
    await store.upload(physical, 'one')
    expect(await found()).toEqual([])
  })

  it('reads both sides in the order of UTF-8, whatever the keys', async () => {
    const asked: string[] = []
    const { files, found, store } = auditedFiles({
      between: store =>
        forward(store, {
          async infoMany(keys, options) {
            const results = await store.infoMany(keys, options)
            asked.push(...results.map(({ key }) => key).filter(key => !key.includes('.stowage/')))
            return results
          },
        }),
    })
    for (const name of ['\u{1f600}', '\uffee', '\ue000', '\ud7ff', 'ä', 'z', '~', '!', 'a/b', 'a-b', 'a.b'])
      for (const key of [name, `${name}/${name}`, `dir/${name}.txt`]) await files.upload(key, key)
    expect(await found()).toEqual([])
    const orphan = `default/dir/\uffef.${ORPHAN_ID}.txt`
    await store.upload(orphan, 'lost')
    expect(await found()).toEqual([`orphan ${orphan}`])
    // Out of order, what is on both sides would be doubted, and each object asked for.
    expect(asked).toEqual([])
  })

  it.each(['before', 'behind'] as const)(
    'finds nothing in files that come, change and go %s a page that it reads',
    async when => {
      let between: (() => Promise<unknown>) | undefined
      const made = auditedFiles({
        between: store =>
          atEachPage(store, when, async () => {
            const work = between
            between = undefined
            await work?.()
          }),
      })
      const { files } = made
      const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(name => `${name}.txt`)
      for (const key of keys) await files.upload(key, key)
      for (const work of [
        () => files.deleteMany(['a.txt', 'g.txt', 'h.txt']),
        () => Promise.all(['a.txt', 'c.txt', 'i.txt'].map(key => files.upload(key, 'again'))),
        () => files.move('b.txt', 'z.txt'),
        () => Promise.all([files.copy('c.txt', 'aa.txt'), files.delete('d.txt')]),
      ]) {
        between = work
        expect(await made.found()).toEqual([])
        expect(between).toBeUndefined()
      }
    },
  )

  it('finds nothing in a file that is deleted while the store is asked for it', async () => {
    const made = auditedFiles({
      between: store =>
        forward(store, {
          async infoMany(keys, options) {
            const results = await store.infoMany(keys, options)
            if (results.some(({ key }) => key.startsWith('default/a.')))
              await made.sql('DELETE FROM t_default__files')
            return results
          },
        }),
    })
    await made.files.upload('a.txt', 'a')
    await made.store.delete(await made.files.physicalKey('a.txt'))
    expect(await made.found()).toEqual([])
  })

  it('is none where the list of the store fails: it rejects', async () => {
    const { files } = auditedFiles({
      between: store =>
        atEachPage(store, 'behind', async () => {
          throw new StorageError('unavailable', 'list: the store is down')
        }),
    })
    await files.upload('a.txt', 'a')
    await expect(files.audit()).rejects.toSatisfy(hasCode('unavailable'))
  })

  it('is none where the store does not say whether bytes are there', async () => {
    const { files, store } = auditedFiles({
      between: store =>
        forward(store, {
          infoMany: async keys => {
            const all = [...(keys as Iterable<string>)]
            return all.map(key => ({
              key,
              ok: false as const,
              error: new StorageError(key.includes('/.stowage/') ? 'not-found' : 'permission-denied', 'no'),
            }))
          },
        }),
    })
    await files.upload('a.txt', 'a')
    await store.delete(await files.physicalKey('a.txt'))
    await expect(files.audit()).rejects.toSatisfy(hasCode('permission-denied'))
  })

  it('counts all findings, tells of each, and lists as many as it is told', async () => {
    const { files, store } = auditedFiles()
    await files.upload('a.txt', 'a')
    for (let n = 0; n < 30; n++) await store.upload(`default/${n}.${ORPHAN_ID}.txt`, 'x')
    let told = 0
    const report = await files.audit({
      limit: 5,
      onFinding() {
        told++
      },
    })
    expect([report.counts.orphan, report.findings.length, told, report.clean]).toEqual([30, 5, 30, false])
    expect(await files.audit({ limit: 0 })).toMatchObject({ findings: [], clean: false })
  })

  it('tells an object of ours from one of another program, and knows what was adopted', async () => {
    const { files, store, found } = auditedFiles()
    await store.upload('default/old/photo.jpg', 'a')
    expect(await found()).toEqual(['foreign-object default/old/photo.jpg'])
    await files.adopt()
    expect(await found()).toEqual([])
    await store.delete('default/old/photo.jpg')
    expect(await found()).toEqual(['bytes-missing old/photo.jpg'])
  })

  it('finds a deleted file that could not be restored', async () => {
    const { files, store } = auditedFiles({ restoreMs: DAY })
    await files.upload('a.txt', 'a')
    await files.delete('a.txt')
    for await (const entry of store.list({ prefix: 'default/.stowage/trash/' }))
      if (entry.kind === 'object') await store.delete(entry.key)
    expect((await files.audit()).findings).toMatchObject([
      { kind: 'bytes-missing', area: 'trash', key: 'a.txt' },
    ])
  })
})

describe('an audit of the journal', () => {
  const physical = `default/late.${ORPHAN_ID}.txt`
  const intent = (
    made: AuditedFiles,
    owner: string,
    values: Partial<{ kind: string; stuck: bigint; error: string | null }> = {},
  ) =>
    made.sql(
      "INSERT INTO t_default__journal (id, operation, kind, state, key, physical, owner, fence, beat, due_at, attempts, refusals, answered, stuck, error, data, created_at) VALUES ('x', 'x', ?, 'open', 'late.txt', ?, ?, 1, 0, ?, 0, 0, 0, ?, ?, '{}', ?)",
      values.kind ?? 'write',
      physical,
      owner,
      BigInt(made.clock.now),
      values.stuck ?? 0n,
      values.error ?? null,
      BigInt(made.clock.now),
    )
  const started = async (setting?: Setting) => {
    const made = auditedFiles(setting)
    await made.files.upload('a.txt', 'a')
    return made
  }

  it('finds the intent of a process of this host that has ended, at once', async () => {
    const made = await started()
    const [host, boot] = PROCESS_OWNER.split('-')
    await intent(made, `${host}-${boot}-999999999-1-00000000`)
    expect(await made.found()).toEqual(['stale-intent late.txt'])
  })

  it('believes a writer of another host to be alive as long as its beat changes', async () => {
    const made = await started({
      wait: async ms => {
        made.advance(ms)
        await made.sql("UPDATE t_default__journal SET beat = beat + 1 WHERE id = 'x'")
      },
      // The heartbeats of this process's own uploads are not what is waited for here.
      leaseMs: 30_000,
    })
    await intent(made, 'another-host')
    expect(await made.found()).toEqual([])
    made.advance(2 * HOUR)
    expect(await made.found()).toEqual([])
  })

  it('finds jobs that nobody does, jobs that are stuck, and hidden records without a job', async () => {
    const overdue = await started()
    await intent(overdue, '', { kind: 'replaced' })
    expect(await overdue.found()).toEqual([])
    overdue.advance(2 * HOUR)
    expect(await overdue.found()).toEqual(['overdue-job late.txt'])
    expect(await overdue.found({ staleMs: DAY })).toEqual([])

    const stuck = await started()
    await intent(stuck, '', { stuck: 1n, error: 'denied' })
    expect((await stuck.files.audit()).findings).toMatchObject([
      { kind: 'stuck-job', attempts: 0, error: 'denied', job: { id: 'x', key: 'late.txt' } },
    ])

    const hidden = await started()
    await hidden.sql("UPDATE t_default__files SET state = 'deleting'")
    expect(await hidden.found()).toEqual(['hidden-without-job a.txt'])
  })

  it('asks for the parts of a stale intent by its whole key, where the store lists by no other (MinIO)', async () => {
    const made = await started({
      between: store =>
        forward(store, {
          unfinishedUploads: options =>
            unfinishedUploadsOf(async function* () {
              if (options?.prefix === physical) yield* store.unfinishedUploads(options).pages()
            }),
        }),
    })
    await intent(made, '')
    made.parts.push({ key: physical, uploadId: 'u', startedAt: new Date(made.clock.now) })
    expect(await made.found()).toEqual([])
    made.advance(2 * HOUR)
    expect(await made.found()).toEqual(['stale-intent late.txt', `unfinished-upload ${physical}`])
  })
})

/** Work at each page of two entries of the list that an audit reads; not of those that it asks for again. */
function atEachPage(
  store: StorageProvider,
  when: 'before' | 'behind',
  work: () => Promise<void>,
): StorageProvider {
  return forward(store, {
    list: options =>
      listingOf({
        page: given => store.list(options).page(given),
        async *pages() {
          for await (const page of store.list({ ...options, pageSize: 2 }).pages()) {
            if (when === 'before') await work()
            yield page
            if (when === 'behind') await work()
          }
        },
      }),
  })
}

function withoutChecksums(store: StorageProvider): StorageProvider {
  const bare = <Info extends object>(info: Info): Info => ({ ...info, checksum: undefined })
  return forward(store, {
    list: options =>
      listingOf({
        async page(given) {
          const page = await store.list(options).page(given)
          return { ...page, items: page.items.map(bare) }
        },
        async *pages() {
          for await (const page of store.list(options).pages()) yield page.map(bare)
        },
      }),
    async infoMany(keys, options) {
      const results = await store.infoMany(keys, options)
      return results.map(result => (result.ok ? { ...result, value: bare(result.value) } : result))
    },
  })
}
