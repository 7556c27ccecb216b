import { describe, expect, it } from 'vitest'
import { auditedFiles, DAY, HOUR, ORPHAN_ID } from './audited-files.ts'

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
})
