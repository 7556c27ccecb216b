import { PGlite } from '@electric-sql/pglite'
import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { openManifest } from '../../../src/migrate/manifest/open-manifest.ts'
import { checkedSettings } from '../../../src/migrate/plan/checked-settings.ts'
import { planMigration } from '../../../src/migrate/plan/plan-migration.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { postgres } from '../../../src/sql/postgres/index.ts'
import { rqlite } from '../../../src/sql/rqlite/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { theFolder } from '../../sql/sqlite/the-folder.ts'
import { startRqlite } from '../../support/rqlite.ts'

/** Two engines on one database, as two processes have them. */
type TwoEngines = () => Promise<{ engines: [Engine, Engine]; close(): Promise<void> }>

const folder = theFolder()

const ENGINES: Readonly<Record<string, TwoEngines>> = {
  sqlite: async () => {
    const path = folder.path()
    const engines: [Engine, Engine] = [sqlite({ path }), sqlite({ path })]
    return {
      engines,
      close: async () => {
        for (const engine of engines) await engine.close()
      },
    }
  },
  postgres: async () => {
    const client = new PGlite()
    return { engines: [postgres({ client }), postgres({ client })], close: () => client.close() }
  },
  rqlite: async () => {
    const cluster = await startRqlite()
    const url = cluster.nodes.map(node => node.url)
    const engines: [Engine, Engine] = [rqlite({ url }), rqlite({ url: url.toReversed() })]
    return {
      engines,
      close: async () => {
        for (const engine of engines) await engine.close()
        await cluster.stop()
      },
    }
  },
}

describe.each(Object.entries(ENGINES))('plans on %s', (_, open) => {
  it('by two processes at once, while one of them copies, agree and undo nothing', async () => {
    const { engines, close } = await open()
    try {
      const [from, to] = [memory(), memory()]
      const keys = Array.from({ length: 600 }, (_, i) => `${i % 2}/${String(i).padStart(4, '0')}`)
      for (const key of [...keys, '0/same', '1/same']) await from.upload(key, key)
      const processes = await Promise.all(
        engines.map(async engine => ({
          manifest: await openManifest(engine, 'two'),
          settings: checkedSettings({ from, to, manifest: engine, keys: key => key.slice(2) }),
        })),
      )
      const plans = () =>
        Promise.all(processes.map(({ settings, manifest }) => planMigration(settings, manifest)))
      const [one, other] = await plans()
      expect(one).toMatchObject({ objects: 602, refusals: { byReason: { collision: 2 } } })
      expect(other!.refusals).toEqual(one!.refusals)
      const { manifest } = processes[0]!
      const copy = async (sourceKey: string) => {
        const { etag, size } = await to.upload(sourceKey.slice(2), sourceKey)
        await manifest.write([
          { sourceKey, state: 'copied', occupant: 'ours', destinationEtag: etag, destinationSize: size },
        ])
      }
      await Promise.all([plans(), ...keys.slice(0, 300).map(copy)])
      const states = async () => (await processes[1]!.manifest.counts()).byState
      expect((await states()).copied.objects + (await states()).planned.objects).toBe(600)
      const [last] = await plans()
      expect(last!.copied.objects + last!.toCopy.objects).toBe(600)
      await from.delete('0/same')
      const [after] = await plans()
      expect(after!.refusals.total).toBe(0)
    } finally {
      await close()
    }
  }, 120_000)
})
