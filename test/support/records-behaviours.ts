/**
 * What a provider with records owes beyond the contract, behaviours 106 to 112 of the project's list, on any engine and
 * any store. The exhaustive proofs stand in test/records; these show that each engine keeps what they rely on.
 */
import { beforeAll, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import {
  type RecordedFiles,
  type RecordsOptions,
  upgradeTables,
  withRecords,
} from '../../src/records/index.ts'
import type { Engine } from '../../src/sql/engine.ts'
import { forwardEngine } from './forward-engine.ts'
import { hasCode } from './has-code.ts'
import { changed } from './recorded.ts'

export interface RecordsUnderTest {
  readonly engine: Engine
  /** A store of its own for a case. */
  store(): Promise<StorageProvider>
}

let cases = 0

export function recordsBehaviours(open: () => Promise<RecordsUnderTest>): void {
  let under: RecordsUnderTest
  beforeAll(async () => {
    under = await open()
  })

  /** One tenant over one store, for as many processes as a case has. */
  async function place(options: RecordsOptions = {}) {
    const store = await under.store()
    const tenant = `b${process.pid}x${++cases}`
    let processes = 0
    const process_ = (more: RecordsOptions = {}, through: StorageProvider = store, engine = under.engine) =>
      withRecords(through, engine, {
        tenant,
        env: {},
        replaceGraceMs: 0,
        lateMs: 0,
        patienceMs: 0,
        backoffMs: { first: 0, most: 0 },
        ...options,
        owner: `process ${++processes}`,
        ...more,
      })
    return { store, tenant, process: process_ }
  }

  const SCENARIOS: Record<string, (files: RecordedFiles) => Promise<unknown>> = {
    upload: files => files.upload('new.txt', 'new'),
    replace: files => files.upload('old.txt', 'new'),
    delete: files => files.delete('old.txt'),
    'delete many': files => files.deleteMany(['old.txt', 'other.txt', 'missing.txt']),
    copy: files => files.copy('old.txt', 'new.txt'),
    move: files => files.move('old.txt', 'new.txt'),
  }

  it.each(Object.keys(SCENARIOS))('106: a crash at any step of %s leaves both or neither', async name => {
    const act = SCENARIOS[name]!
    let points = 0
    for (const moment of ['before', 'after'] as const)
      for (let at = 0; ; at++) {
        const world = await place()
        const calm = world.process()
        await calm.upload('old.txt', 'old')
        await calm.upload('other.txt', 'other')
        const before = await contents(calm)
        const crash = crashAt(at, moment)
        const doomed = world.process({}, crash.store(world.store), crash.engine(under.engine))
        const ended = act(doomed).then(() => 'ended')
        const outcome = await Promise.race([ended, crash.crashed])
        if (outcome === 'ended') break
        points++
        // Nobody is believed to be alive: every lease is over.
        const saviour = world.process({ leaseMs: 0 })
        for (let round = 0; round < 3; round++) await saviour.recover()
        const after = await contents(saviour)
        const done = await contents(await replayed(act))
        expect([before, done], `${name}, call ${at}, ${moment}`).toContainEqual(after)
        expect(await saviour.jobs()).toEqual([])
        expect(await strays(world.store, saviour)).toEqual([])
      }
    expect(points).toBeGreaterThan(6)

    async function replayed(work: (files: RecordedFiles) => Promise<unknown>) {
      const files = (await place()).process()
      await files.upload('old.txt', 'old')
      await files.upload('other.txt', 'other')
      await work(files)
      return files
    }
  })

  it('107: a delete and an upload of the same key, in any order, leave one file or none, and its bytes', async () => {
    const world = await place()
    const [one, two] = [world.process(), world.process()]
    for (let turn = 0; turn < 40; turn++) {
      await one.upload('a.txt', 'before')
      const racers = [() => one.delete('a.txt'), () => two.upload('a.txt', `turn ${turn}`)]
      if (turn % 2) racers.reverse()
      await Promise.all(racers.map(race => race()))
      if (await one.exists('a.txt')) expect(await (await two.download('a.txt')).text()).toBe(`turn ${turn}`)
    }
    await one.recover()
    expect(await strays(world.store, one)).toEqual([])
  })

  it('108: an operation whose answer was lost happens once', async () => {
    const world = await place()
    const engine = losingAnswers(under.engine)
    const files = world.process({}, world.store, engine)
    await files.upload('a.txt', 'one')
    await files.upload('a.txt', 'two')
    await files.copy('a.txt', 'b.txt')
    await files.delete('a.txt')
    for (let round = 0; round < 3; round++) await files.recover()
    expect(await contents(files)).toEqual({ 'b.txt': 'two' })
    expect(await strays(world.store, files)).toEqual([])
    expect(engine.lost()).toBeGreaterThan(3)
  })

  it('109: an audit finds what was planted, and nothing else', async () => {
    const world = await place()
    const files = world.process({ leaseMs: 0 })
    for (const key of ['whole.txt', 'lost.txt', 'cut.txt']) await files.upload(key, 'bytes')
    expect((await files.audit()).findings).toEqual([])
    const orphan = (await files.physicalKey('whole.txt')).replace(
      /\.[^.]+\.txt$/,
      '.01kdvdna00ybjy0g37rzvxneha.txt',
    )
    await world.store.upload(orphan, 'nobody’s')
    await world.store.delete(await files.physicalKey('lost.txt'))
    await world.store.upload(await files.physicalKey('cut.txt'), 'byte')
    const silent = world.process({}, changed(() => ({ upload: () => new Promise(() => {}) }))(world.store))
    void silent.upload('never.txt', 'bytes').catch(() => {})
    await expect.poll(async () => (await files.jobs()).length).toBe(1)
    const { findings } = await files.audit({ staleMs: 0 })
    expect(findings.map(finding => finding.kind).sort()).toEqual([
      'bytes-missing',
      'orphan',
      'size-differs',
      'stale-intent',
    ])
  })

  it('110: collecting deletes nothing where a page of the list fails', async () => {
    const world = await place()
    const files = world.process()
    await files.upload('a.txt', 'bytes')
    const orphan = (await files.physicalKey('a.txt')).replace(
      /a\.[^.]+\.txt$/,
      'z.01kdvdna00ybjy0g37rzvxneha.txt',
    )
    await world.store.upload(orphan, 'nobody’s')
    const cut = changed(inner => ({
      list: options => {
        const list = inner.list(options)
        return {
          ...list,
          async *pages() {
            yield* list.pages()
            throw new StorageError('unavailable', 'list: no answer')
          },
          async *[Symbol.asyncIterator]() {
            yield* list
            throw new StorageError('unavailable', 'list: no answer')
          },
        }
      },
    }))
    const broken = world.process({}, cut(world.store))
    for (let turn = 0; turn < 2; turn++)
      await expect(broken.collect({ apply: true, graceMs: 0, maxShare: 1 })).rejects.toSatisfy(
        hasCode('unavailable'),
      )
    expect(await world.store.exists(orphan)).toBe(true)
    expect(await world.store.exists(await files.physicalKey('a.txt'))).toBe(true)
  })

  it('111: nothing of a tenant is seen or reached from another, also where one’s name begins with the other’s', async () => {
    const store = await under.store()
    const id = `t${process.pid}x${++cases}`
    const names = [id, `${id}b`, `${id}_b`]
    const all = names.map(tenant => withRecords(store, under.engine, { tenant, env: {} }))
    for (const [index, files] of all.entries()) {
      await files.upload('same.txt', `of ${names[index]}`)
      await files.upload(`only/${index}.txt`, 'x')
    }
    for (const [index, files] of all.entries()) {
      expect(await (await files.download('same.txt')).text()).toBe(`of ${names[index]}`)
      expect(Object.keys(await contents(files))).toEqual([`only/${index}.txt`, 'same.txt'])
      expect(await files.physicalKey('same.txt')).toMatch(new RegExp(`^${names[index]}/same\\.`))
      expect((await files.audit()).findings).toEqual([])
    }
    await all[0]!.deleteMany(all[0]!.list())
    await all[0]!.recover()
    for (const files of all.slice(1)) expect(Object.keys(await contents(files))).toHaveLength(2)
    expect(Object.keys(await contents(all[0]!.tenant(names[1]!)))).toHaveLength(2)
    expect(() => all[0]!.tenant(`${id}__b`)).toThrow(StorageError)
  })

  it('112: works on a schema that is one step newer', async () => {
    const world = await place({ restoreMs: 60_000 })
    const files = world.process()
    await files.upload('before.txt', 'x', { metadata: { a: '1' } })
    await under.engine.batch([
      [`ALTER TABLE t_${world.tenant}__files ADD COLUMN colour ${under.engine.types.text}`],
      [`ALTER TABLE t_${world.tenant}__journal ADD COLUMN weight ${under.engine.types.integer}`],
      [`CREATE TABLE t_${world.tenant}__later (id ${under.engine.types.text} PRIMARY KEY)`],
      [
        'INSERT INTO stowage_upgrades (tenant, namespace, version, at) VALUES (?, ?, ?, ?)',
        world.tenant,
        'stowage',
        2n,
        0n,
      ],
    ])
    for (const process_ of [files, world.process()]) {
      await process_.upload('a.txt', 'one')
      await process_.upload('a.txt', 'two')
      await process_.move('a.txt', 'b.txt')
      await process_.delete('b.txt')
      await process_.restore('b.txt')
      await process_.recover()
    }
    expect(await contents(files)).toEqual({ 'before.txt': 'x', 'b.txt': 'two' })
    expect(await upgradeTables(under.engine, world.tenant, 'stowage', [])).toBe(2)
  })
}

async function contents(files: RecordedFiles): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const entry of files.list())
    if (entry.kind === 'object') found[entry.key] = await (await files.download(entry.key)).text()
  return found
}

/** Objects of the tenant that no file has. */
async function strays(store: StorageProvider, files: RecordedFiles): Promise<string[]> {
  const owned = new Set<string>()
  for await (const entry of files.list())
    if (entry.kind === 'object') owned.add(await files.physicalKey(entry.key))
  const strange: string[] = []
  for await (const entry of store.list({ prefix: `${files.tenantId}/` }))
    if (entry.kind === 'object' && !owned.has(entry.key) && !entry.key.endsWith('record-set.json'))
      strange.push(entry.key)
  return strange
}

/** A process that ends at its `at`th call to store or database, before or after the call's effect. */
function crashAt(at: number, moment: 'before' | 'after') {
  let calls = 0
  let isDead = false
  let die: (outcome: 'crashed') => void = () => {}
  const crashed = new Promise<'crashed'>(resolve => {
    die = resolve
  })
  const never = new Promise<never>(() => {})
  const guarded =
    <Arguments extends unknown[], T>(work: (...given: Arguments) => Promise<T>) =>
    async (...given: Arguments): Promise<T> => {
      if (isDead) return never
      const isLast = calls++ === at
      if (isLast && moment === 'before') {
        isDead = true
        die('crashed')
        return never
      }
      const result = await work(...given)
      if (!isLast) return result
      isDead = true
      die('crashed')
      return never
    }
  return {
    crashed,
    store: changed(inner => ({
      upload: guarded((key, body, options) => inner.upload(key, body, options)),
      copy: guarded((from, to, options) => inner.copy(from, to, options)),
      deleteMany: guarded((keys, options) => inner.deleteMany(keys, options)),
    })),
    engine: (engine: Engine): Engine =>
      forwardEngine(engine, {
        batch: guarded((statements, options) => engine.batch(statements, options)),
        query: guarded((statement, options) => engine.query(statement, options)),
      }),
  }
}

/** An engine whose every other batch is applied, and then sent once more by its id, as after a lost answer. */
function losingAnswers(engine: Engine): Engine & { lost(): number } {
  let batches = 0
  let lost = 0
  const losing = forwardEngine(engine, {
    async batch(statements, options) {
      const result = await engine.batch(statements, options)
      if (options?.id === undefined || batches++ % 2 === 0) return result
      lost++
      const again = await engine.batch(statements, options)
      expect(again.applied).toBe(result.applied)
      return again
    },
  })
  return Object.assign(losing, { lost: () => lost })
}
