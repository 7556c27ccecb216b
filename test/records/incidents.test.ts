/** What went wrong elsewhere when an object and its record were to go together. Each by the number of its report. */
import { describe, expect, it } from 'vitest'
import type { RecordedFiles } from '../../src/records/index.ts'
import type { Statement } from '../../src/sql/engine.ts'
import { hasCode } from '../support/has-code.ts'
import { withoutRow, withRow } from './crash/crash-scenario.ts'
import { recoverAll } from './crash/recover-all.ts'
import { endProblems, takeInventory } from './support/inventory.ts'
import type { Gate, Step } from './support/simulation.ts'
import { World, type WorldOptions } from './support/world.ts'

const text = { contentType: 'text/plain' }
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

async function worldOf(options: WorldOptions = {}): Promise<{ world: World; files: RecordedFiles }> {
  const world = new World(options)
  await world.engine.batch([['CREATE TABLE app (key TEXT PRIMARY KEY)']])
  return { world, files: world.client('app') }
}

/** The client's calls of this name go another way. */
const every =
  (client: string, call: string, step: Step) =>
  (gate: Gate): Step =>
    gate.client === client && gate.call === call ? step : 'pass'

async function end(world: World) {
  const problems: string[] = []
  await recoverAll(world, problems)
  const inventory = await takeInventory(world.provider, world.engine)
  expect([...problems, ...endProblems(inventory)]).toEqual([])
  return inventory
}

async function objects({ provider }: World): Promise<string[]> {
  const keys: string[] = []
  for await (const entry of provider.list()) if (entry.kind === 'object') keys.push(entry.key)
  return keys
}

describe('row first, then the file, and no way back', () => {
  it('rails/rails#56006: a store that is down while a file is deleted leaves a job, and no orphan', async () => {
    const { world, files } = await worldOf()
    const { simulation } = world
    await simulation.run(files.upload('a.txt', 'one', { ...text, ...withRow('a.txt') }))
    const down = every('app', 'provider.deleteMany', 'fail')
    await expect(simulation.run(files.delete('a.txt', withoutRow('a.txt')), down)).rejects.toSatisfy(
      hasCode('pending'),
    )
    expect(await objects(world)).toHaveLength(1)
    expect(await simulation.run(files.jobs())).toMatchObject([{ kind: 'delete', key: 'a.txt' }])
    await end(world)
    expect(await objects(world)).toEqual([])
  })

  it('rails/rails#56006: a store that refuses keeps both, the file and its record', async () => {
    const { world, files } = await worldOf()
    await world.simulation.run(files.upload('a.txt', 'one', text))
    const refused = every('app', 'provider.deleteMany', 'refuse')
    await expect(world.simulation.run(files.delete('a.txt'), refused)).rejects.toSatisfy(
      hasCode('permission-denied'),
    )
    const { files: live, journal } = await takeInventory(world.provider, world.engine)
    expect([[...live], journal]).toEqual([[['a.txt', 'one']], []])
  })

  it('rails/rails#35386: a clean-up that runs at any moment of a replace leaves no old bytes behind', async () => {
    let calls = Number.POSITIVE_INFINITY
    for (let at = 0; at < calls; at++) {
      const { world, files } = await worldOf({ records: { replaceGraceMs: 0 } })
      const { simulation } = world
      await simulation.run(files.upload('a.txt', 'one', { ...text, ...withRow('a.txt') }))
      const cleaner = world.client('cleaner')
      const first = simulation.callsOf('app')
      let cleaned: Promise<unknown> | undefined
      const replacing = files.upload('a.txt', 'two', { ...text, ...withRow('a.txt') })
      await simulation.run(replacing, gate => {
        if (gate.client === 'app' && gate.index === first + at) cleaned = cleaner.recover()
        return 'pass'
      })
      calls = simulation.callsOf('app') - first
      if (cleaned !== undefined) await simulation.run(cleaned)
      const { files: live } = await end(world)
      expect([...live]).toEqual([['a.txt', 'two']])
      expect(await objects(world)).toHaveLength(1)
    }
    expect(calls).toBeGreaterThan(5)
  })

  it('rails/rails#33069: what the caller’s rows roll back keeps its file', async () => {
    const { world, files } = await worldOf()
    const { simulation, engine } = world
    await simulation.run(files.upload('a.txt', 'one', { ...text, ...withRow('a.txt') }))
    await engine.batch([['CREATE TABLE strict (key TEXT NOT NULL)']])
    const also: Statement[] = [...withoutRow('a.txt').also, ['INSERT INTO strict (key) VALUES (?)', null]]
    await expect(simulation.run(files.delete('a.txt', { also }))).rejects.toSatisfy(hasCode('conflict'))
    const { files: live } = await end(world)
    expect([...live]).toEqual([['a.txt', 'one']])
    expect(await engine.query(['SELECT key FROM app'])).toEqual([{ key: 'a.txt' }])
  })
})

describe('delete, then the same key again', () => {
  it('un1t/django-cleanup#116: the clean-up of the old file, which comes last, leaves the new one', async () => {
    const { world, files } = await worldOf()
    const { simulation } = world
    await simulation.run(files.upload('a.txt', 'one', text))
    void files.delete('a.txt').catch(() => {})
    await simulation.until(() => simulation.isDead('app'), every('app', 'provider.deleteMany', 'crash-late'))
    const next = world.client('next')
    await simulation.run(next.upload('a.txt', 'two', text))
    // The request of the process that has ended arrives now, and recovery deletes once more.
    await simulation.land(simulation.late[0]!)
    const { files: live } = await end(world)
    expect([...live]).toEqual([['a.txt', 'two']])
    expect(await objects(world)).toHaveLength(1)
  })
})

describe('a collector that does not see everything', () => {
  it('juicedata/juicefs#6479: an error in any list, of objects or of records, ends it before anything is removed', async () => {
    const orphan = 'default/lost.01kdvdna00phyejd821rxa9aey.txt'
    const failing = new Set<string>()
    for (let at = 0; ; at++) {
      const { world, files } = await worldOf()
      const { simulation } = world
      for (const key of ['a.txt', 'b.txt', 'c.txt']) await simulation.run(files.upload(key, key, text))
      await world.provider.upload(orphan, 'nobody knows me', text)
      await simulation.run(files.collect())
      simulation.clock.advance(2 * DAY)
      const first = simulation.callsOf('app')
      let met = false
      const collecting = files.collect({ apply: true, maxShare: 1 })
      const outcome = await simulation
        .run(collecting, gate => {
          const isList = gate.call === 'provider.list' || gate.call === 'engine.query'
          if (gate.client !== 'app' || gate.index !== first + at || !isList) return 'pass'
          // What is asked for behind the point of no return is no list any more.
          if (gate.about.startsWith('SELECT id, operation')) return 'pass'
          met = true
          failing.add(gate.call)
          return 'fail'
        })
        .then(
          report => report.removed,
          error => error as { code?: string },
        )
      if (first + at >= simulation.callsOf('app')) break
      const there = await objects(world)
      expect(there.filter(key => /^default\/[abc]/.test(key))).toHaveLength(3)
      if (!met) continue
      expect(outcome).toSatisfy(hasCode('unavailable'))
      expect(there).toContain(orphan)
    }
    expect([...failing].sort()).toEqual(['engine.query', 'provider.list'])
  })
})

describe('a write that is applied twice', () => {
  for (const step of ['twice', 'twice-last'] as const)
    it(`rqlite/rqlite#1628: every batch twice is every batch once (${step})`, async () => {
      const { world, files } = await worldOf({ records: { replaceGraceMs: 0, restoreMs: DAY }, cdn: true })
      const { simulation, engine } = world
      await engine.batch([['CREATE TABLE visits (id INTEGER PRIMARY KEY, what TEXT)']])
      const also = (what: string) => ({ also: [['INSERT INTO visits (what) VALUES (?)', what] as Statement] })
      const run = <T>(doing: Promise<T>) => simulation.run(doing, every('app', 'engine.batch', step))
      await run(files.upload('a.txt', 'one', { ...text, ...also('upload') }))
      await run(files.upload('a.txt', 'two', { ...text, ...also('replace') }))
      await run(files.copy('a.txt', 'b.txt', also('copy')))
      await run(files.move('a.txt', 'c.txt', also('move')))
      await run(files.delete('b.txt', also('delete')))
      await run(files.restore('b.txt', also('restore')))
      await run(files.recover())
      const rows = await engine.query(['SELECT what FROM visits ORDER BY id'])
      expect(rows.map(row => row.what)).toEqual(['upload', 'replace', 'copy', 'move', 'delete', 'restore'])
      const { files: live } = await end(world)
      expect([...live].sort()).toEqual([
        ['b.txt', 'two'],
        ['c.txt', 'two'],
      ])
      expect(await objects(world)).toHaveLength(2)
    })
})

describe('a presigned PUT that lands after the sweep', () => {
  it('is swept again: S3 checks the signature when the request begins', async () => {
    const { world, files } = await worldOf()
    const { simulation, provider, engine } = world
    const { uploadId } = await simulation.run(files.signedUpload('a.txt', { expiresIn: 60 }))
    const [staged] = await engine.query(['SELECT physical FROM t_default__journal WHERE id = ?', uploadId!])
    simulation.clock.advance(20 * MINUTE)
    await simulation.run(files.recover())
    await provider.upload(String(staged!.physical), 'late', text)
    await expect(simulation.run(files.finalize(uploadId!))).rejects.toSatisfy(hasCode('not-found'))
    await end(world)
    expect(await objects(world)).toEqual([])
  })

  it('is no file where the same URL was finalized before', async () => {
    const { world, files } = await worldOf()
    const { simulation, provider, engine } = world
    const { uploadId } = await simulation.run(files.signedUpload('a.txt', { expiresIn: 600 }))
    const [staged] = await engine.query(['SELECT physical FROM t_default__journal WHERE id = ?', uploadId!])
    await provider.upload(String(staged!.physical), 'sent', text)
    await simulation.run(files.finalize(uploadId!))
    await provider.upload(String(staged!.physical), 'sent again', text)
    await simulation.run(files.finalize(uploadId!))
    const { files: live } = await end(world)
    expect([...live]).toEqual([['a.txt', 'sent']])
    expect(await objects(world)).toHaveLength(1)
  })
})
