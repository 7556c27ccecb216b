import { PGlite } from '@electric-sql/pglite'
import { expect, it, onTestFinished } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { withRecords } from '../../../src/records/index.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { postgres } from '../../../src/sql/postgres/index.ts'
import { rqlite } from '../../../src/sql/rqlite/index.ts'
import { startRqlite } from '../../support/rqlite.ts'
import { textsOf } from './texts-of.ts'

const text = { contentType: 'text/plain' }

const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  PostgreSQL: async () => {
    const db = new PGlite()
    onTestFinished(() => db.close())
    return postgres({ client: db })
  },
  rqlite: async () => {
    const cluster = await startRqlite({ size: 1 })
    onTestFinished(() => cluster.stop())
    await cluster.settle()
    return rqlite({ url: cluster.nodes[0]!.url })
  },
}

for (const [name, open] of Object.entries(ENGINES))
  it(`goes through all phases, there and back, with its rows in ${name}`, async () => {
    const engine = await open()
    const [from, to] = [memory(), memory()]
    const store = cutOver({ from, to, engine })
    const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
    await files.upload('0.txt', '0', text)
    await files.upload('deleted.txt', 'x', text)
    for (let phase = 1; phase <= 6; phase++) {
      if (phase === 3) await store.backfill()
      if (phase === 4) await store.verify()
      if (phase === 6) await store.verify({ level: 'content' })
      await store.advance()
      await files.upload(`${phase}.txt`, String(phase), text)
      if (phase === 3) await files.delete('deleted.txt')
    }
    expect(await textsOf(to)).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    expect(await textsOf(from)).toEqual(['0', '1', '2', '3', '4', '5'])
    expect((await store.status()).objects).toMatchObject({ undeleted: { from: 0, to: 0 } })
    for (let phase = 5; phase >= 0; phase--) {
      await store.settle()
      await store.back()
    }
    const plain = withRecords(from, engine, { env: {} })
    for (let phase = 0; phase <= 6; phase++)
      expect(await (await plain.download(`${phase}.txt`)).text()).toBe(String(phase))
    expect((await plain.audit()).findings).toEqual([])
    await files.close()
  }, 120_000)
