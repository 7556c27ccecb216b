import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { memory } from '../../../src/adapters/memory.ts'
import { repointRecords } from '../../../src/migrate/records/repoint-records.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { migrated, textsOf } from '../copy/two-sides.ts'

function database() {
  const engine = sqlite({ path: ':memory:' })
  onTestFinished(() => engine.close())
  return engine
}

describe('records', () => {
  test('at the destination come with the bytes', async () => {
    const from = memory()
    for (let at = 0; at < 20; at++)
      await from.upload(`a/${at}.txt`, `text ${at}`, { metadata: { n: `${at}` } })
    const [store, records, manifest] = [memory(), database(), database()]
    const to = withRecords(store, records)
    const { result } = await migrated({ from, to, manifest })
    expect(result).toMatchObject({ complete: true, copied: 20 })
    expect(await textsOf(to)).toEqual(await textsOf(from))
    expect(await to.info('a/7.txt')).toMatchObject({ metadata: { n: '7' } })
    expect((await to.audit()).clean).toBe(true)
    expect((await migrated({ from, to, manifest })).result).toMatchObject({ complete: true, copied: 0 })
  })

  test('at the source are read by their logical keys', async () => {
    const from = withRecords(memory(), database())
    await from.upload('a.txt', 'one')
    await from.upload('a.txt', 'two')
    await from.upload('b.txt', 'gone')
    await from.delete('b.txt')
    const to = memory()
    const { result } = await migrated({ from, to, manifest: database() })
    expect(result).toMatchObject({ complete: true, copied: 1 })
    expect(await textsOf(to)).toEqual({ 'a.txt': 'two' })
  })

  test('for objects that keep their keys are adopted where they have arrived', async () => {
    const [from, to] = [memory(), memory()]
    await from.upload('a/1.txt', 'one')
    await from.upload('a/2.txt', 'two')
    expect((await migrated({ from, to, manifest: database() })).result.complete).toBe(true)
    const files = withRecords(to, database(), { root: '' })
    expect(await files.adopt()).toMatchObject({ adopted: 2 })
    expect(await textsOf(files)).toEqual({ 'a/1.txt': 'one', 'a/2.txt': 'two' })
  })
})

describe('records that are pointed to another store', () => {
  async function filesBefore() {
    const folder = mkdtempSync(join(tmpdir(), 'stowage-repoint-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const [from, to, records, manifest] = [memory(), local({ root: folder }), database(), database()]
    const options = { restoreMs: 1_000_000 }
    const files = withRecords(from, records, options)
    for (let at = 0; at < 10; at++)
      await files.upload(`a/${at}.txt`, `text ${at}`, { metadata: { n: `${at}` } })
    await files.delete('a/3.txt')
    return { from, to, records, manifest, options, files }
  }

  test('have all files, their deleted ones and nothing that an audit finds', async () => {
    const { from, to, records, manifest, options, files } = await filesBefore()
    const report = await repointRecords({ from, to, records, recordsOptions: options, manifest })
    expect(report).toMatchObject({ tenant: 'default', migration: { complete: true } })
    expect(report.refreshed).toBeGreaterThanOrEqual(9)
    expect(report.audit.clean).toBe(true)
    const moved = withRecords(to, records, options)
    expect(await textsOf(moved)).toEqual(await textsOf(files))
    await moved.restore('a/3.txt')
    expect(await (await moved.download('a/3.txt')).text()).toBe('text 3')
    await moved.upload('a/new.txt', 'new')
    await moved.delete('a/4.txt')
    expect((await moved.audit()).clean).toBe(true)
  })

  test('meet objects in the new store from then on, where they did so in the old one', async () => {
    const { from, to, records, manifest, options } = await filesBefore()
    await withRecords(from, records, { ...options, adoptMet: true }).exists('nothing.txt')
    await repointRecords({ from, to, records, recordsOptions: options, manifest })
    expect(await records.query(["SELECT value FROM t_default__settings WHERE name = 'adopt_met'"])).toEqual([
      { value: to.location },
    ])
  })

  test('go on after a call that failed in the middle', async () => {
    const { from, to, records, manifest, options } = await filesBefore()
    const ending = new AbortController()
    const call = (signal?: AbortSignal) =>
      repointRecords({
        from,
        to,
        records,
        recordsOptions: options,
        manifest,
        signal,
        limits: { concurrency: 1 },
        onEvent: event => {
          if (event.kind === 'copied') ending.abort()
        },
      })
    await expect(call(ending.signal)).rejects.toMatchObject({ code: 'aborted' })
    expect((await call()).audit.clean).toBe(true)
  })

  test('stay where bytes are not those of their record', async () => {
    const { from, to, records, manifest, options } = await filesBefore()
    for await (const entry of from.list()) {
      if (entry.kind !== 'object' || entry.size !== 6) continue
      await from.upload(entry.key, 'texts!')
      break
    }
    await expect(
      repointRecords({ from, to, records, recordsOptions: options, manifest }),
    ).rejects.toMatchObject({ code: 'checksum-mismatch' })
  })

  test('of a tenant that is not there are not made', async () => {
    const { from, to, records, manifest } = await filesBefore()
    await expect(
      repointRecords({ from, to, records, recordsOptions: { tenant: 'nobody' }, manifest }),
    ).rejects.toMatchObject({ code: 'not-found' })
  })
})
