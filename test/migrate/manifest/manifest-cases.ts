/** What a manifest promises, on any engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareKeys } from '../../../src/core/keys.ts'
import { openManifest } from '../../../src/migrate/manifest/open-manifest.ts'
import type { ManifestRow, RowChange } from '../../../src/migrate/manifest.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { hasCode } from '../../support/has-code.ts'

interface Opened {
  readonly engine: Engine
  close(): Promise<void>
}

let names = 0

export function manifestCases(title: string, open: () => Promise<Opened>): void {
  describe(`the manifest on ${title}`, () => {
    let opened: Opened
    const fresh = () => openManifest(opened.engine, `migration-${names++}`, { now: () => 1000 })

    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened.close())

    it('is created once, however many open it at once', async () => {
      const name = `migration-${names++}`
      const manifests = await Promise.all(Array.from({ length: 8 }, () => openManifest(opened.engine, name)))
      await Promise.all(manifests.map((manifest, i) => manifest.write([added(`k${i}`)])))
      expect(await all(manifests[0]!.rows())).toHaveLength(8)
    })

    it('keeps every field of a row, and forgets one that is cleared', async () => {
      const manifest = await fresh()
      const row: Omit<ManifestRow, 'revision'> = {
        sourceKey: 'a/ü "1"',
        destinationKey: 'b/ü',
        state: 'copied',
        size: 2 ** 40,
        sourceEtag: 'e1',
        sourceModified: 1_700_000_000_123,
        sourceChecksum: 'sha256:aa',
        destinationChecksum: 'sha256:bb',
        destinationSize: 0,
        destinationEtag: 'e2',
        destinationModified: 5,
        attributes: 'cc',
        attempts: 3,
        errorCode: 'timeout',
        errorMessage: 'said nothing',
        status: 'differ',
        level: 'content',
        progress: '{"token":1}',
        occupant: 'ours',
        place: 'b/ü',
      }
      await manifest.write([row])
      expect(await manifest.row(row.sourceKey)).toEqual({ ...row, revision: 1 })
      await manifest.write([
        { sourceKey: row.sourceKey, progress: null, errorCode: null, occupant: null, attempts: null },
      ])
      const { progress, errorCode, occupant, ...rest } = row
      expect(await manifest.row(row.sourceKey)).toEqual({ ...rest, attempts: 0, revision: 2 })
    })

    it('drops a change of a row that is not there, and keeps text that no engine could', async () => {
      const manifest = await fresh()
      await manifest.write([
        { sourceKey: 'none', state: 'gone' },
        { ...added('k'), errorMessage: 'a NUL \0 and half a letter \ud800' },
      ])
      expect(await manifest.row('none')).toBeUndefined()
      expect(await manifest.row('k')).toMatchObject({
        errorMessage: 'a NUL \\0 and half a letter \ufffd',
        status: 'unverified',
        attempts: 0,
      })
    })

    it('keeps migrations apart by their name', async () => {
      const [one, other] = [await fresh(), await fresh()]
      await one.write([added('k')])
      await one.setSetting('rules', 'one')
      expect(await all(other.rows())).toEqual([])
      expect(await other.setting('rules')).toBeUndefined()
      expect(await one.setting('rules')).toBe('one')
      await one.setSetting('rules', 'two')
      expect(await one.setting('rules')).toBe('two')
    })

    it('makes changes of one row in the order in which they were asked for', async () => {
      const manifest = await fresh()
      await Promise.all([
        manifest.write([added('k'), added('other')]),
        manifest.write([{ sourceKey: 'k', state: 'failed', attempts: 1 }]),
        manifest.write([
          { sourceKey: 'k', attempts: 2 },
          { sourceKey: 'k', state: 'copied' },
        ]),
      ])
      expect(await manifest.row('k')).toMatchObject({ state: 'copied', attempts: 2, revision: 4 })
    })

    it('drops a change whose row has changed meanwhile', async () => {
      const manifest = await fresh()
      await manifest.write([added('k')])
      const { revision } = (await manifest.row('k'))!
      await manifest.write([{ sourceKey: 'k', state: 'copied' }])
      await manifest.write([
        { sourceKey: 'k', state: 'failed', ifRevision: revision },
        { ...added('k'), size: 99, ifRevision: revision },
        { ...added('new'), ifRevision: 0 },
      ])
      expect(await manifest.row('k')).toMatchObject({ state: 'copied', size: 1, revision: 2 })
      await manifest.write([
        { ...added('new'), size: 99, ifRevision: 0 },
        { ...added('k'), size: 99, ifRevision: 2 },
      ])
      expect(await manifest.row('new')).toMatchObject({ size: 1, revision: 1 })
      expect(await manifest.row('k')).toMatchObject({ state: 'planned', size: 99, revision: 3 })
    })

    it('tells rows in UTF-8 order of either key, over pages, in ranges and by state', async () => {
      const manifest = await fresh()
      const keys = Array.from({ length: 2500 }, (_, i) => `k${(i * 7919) % 2500}`)
      const odd = ['\uffee', '\u{1f600}', 'K', 'é', 'e\u0301', 'k 1', "k'1", 'k%']
      const changes = [...keys, ...odd].map(
        (key, i): RowChange => ({
          ...added(key),
          destinationKey: `d/${[...key].reverse().join('')}`,
          state: i % 3 === 0 ? 'copied' : 'planned',
        }),
      )
      await manifest.write(changes)
      const sorted = [...keys, ...odd].sort(compareKeys)
      expect((await all(manifest.rows())).map(row => row.sourceKey)).toEqual(sorted)
      const range = { after: sorted[400], through: sorted[1900] }
      expect((await all(manifest.rows(range))).map(row => row.sourceKey)).toEqual(sorted.slice(401, 1901))
      const copied = changes.filter(change => change.state === 'copied')
      expect(await all(manifest.rows({ states: ['copied'] }))).toHaveLength(copied.length)
      expect(await all(manifest.rows({ states: ['planned', 'failed'] }))).toHaveLength(
        changes.length - copied.length,
      )
      expect(await all(manifest.rows({ states: [] }))).toEqual([])
      const byDestination = (await all(manifest.rowsByDestination())).map(row => row.destinationKey)
      expect(byDestination).toEqual(changes.map(change => change.destinationKey!).sort(compareKeys))
      const counts = await manifest.counts(range)
      expect(counts.byState.planned.objects + counts.byState.copied.objects).toBe(1500)
    }, 60_000)

    it('tells rows of one destination key one after the other, across a page', async () => {
      const manifest = await fresh()
      await manifest.write(
        Array.from({ length: 1100 }, (_, i) => ({ ...added(`k${i}`), destinationKey: 'one' })),
      )
      const keys = (await all(manifest.rowsByDestination())).map(row => row.sourceKey)
      expect(new Set(keys).size).toBe(1100)
    })

    it('counts objects and bytes by state, and by status those that are not gone', async () => {
      const manifest = await fresh()
      await manifest.write([
        { ...added('a'), size: 10, state: 'copied', status: 'match' },
        { ...added('b'), size: 5, state: 'gone' },
        { ...added('c'), size: 7 },
      ])
      const { byState, byStatus } = await manifest.counts()
      expect(byState.copied).toEqual({ objects: 1, bytes: 10 })
      expect(byState.gone).toEqual({ objects: 1, bytes: 5 })
      expect(byState.failed).toEqual({ objects: 0, bytes: 0 })
      expect(byStatus.match).toEqual({ objects: 1, bytes: 10 })
      expect(byStatus.unverified).toEqual({ objects: 1, bytes: 7 })
    })

    it('takes back a row that was read, with changes', async () => {
      const manifest = await fresh()
      await manifest.write([added('k')])
      await manifest.write([{ ...(await manifest.row('k'))!, state: 'copied' }])
      expect(await manifest.row('k')).toMatchObject({ state: 'copied', revision: 2 })
    })

    it('tells the work that is left, large objects by their parts', async () => {
      const manifest = await fresh()
      expect(await manifest.workload({ largeObjectBytes: 100, partBytes: 30 })).toEqual({
        objects: 0,
        bytes: 0,
        requests: 0,
      })
      await manifest.write([
        { ...added('a'), size: 99 },
        { ...added('b'), size: 100, state: 'failed' },
        { ...added('c'), size: 1000, state: 'copied' },
        { ...added('d'), size: 1000, state: 'refused' },
      ])
      expect(await manifest.workload({ largeObjectBytes: 100, partBytes: 30 })).toEqual({
        objects: 2,
        bytes: 199,
        requests: 5,
      })
    })

    it('refuses what is no change and no name', async () => {
      const manifest = await fresh()
      for (const change of [{}, { sourceKey: '' }, { sourceKey: 'k', sizes: 1 }])
        await expect(manifest.write([change as RowChange])).rejects.toSatisfy(hasCode('invalid-argument'))
      await expect(openManifest(opened.engine, 'no/name')).rejects.toSatisfy(hasCode('invalid-argument'))
    })

    it('does not go on with tables of a newer release', async () => {
      await fresh()
      const version = (value: string) =>
        opened.engine.batch([
          ["UPDATE stowage_migration_settings SET value = ? WHERE migration = 0 AND name = 'version'", value],
        ])
      await version('2')
      await expect(fresh()).rejects.toSatisfy(hasCode('unsupported'))
      await version('1')
      await expect(fresh()).resolves.toBeDefined()
    })
  })
}

export function added(sourceKey: string): RowChange & { sourceKey: string } {
  return { sourceKey, destinationKey: sourceKey, state: 'planned', size: 1 }
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}
