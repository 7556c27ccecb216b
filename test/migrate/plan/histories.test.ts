/**
 * Histories by chance: both stores change between plans, plans and copies are cut short. After every plan that ended the rows
 * are what the two stores say.
 */
import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { isStorageError, StorageError } from '../../../src/core/errors.ts'
import { listingOf } from '../../../src/core/listing.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import type { ExistingObjects, KeyConversion } from '../../../src/migrate/migrate-options.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { randomOf } from '../../records/support/random.ts'
import { forwardEngine } from '../../support/forward-engine.ts'
import { type PlanSetting, planSetting } from './plan-setting.ts'

const KEYS = ['a/1', 'a/2', 'b/1', 'b/2', 'b/B', 'b/b', 'c', 'c/1', 'é/1', 'tmp/1']
const CONVERSIONS: Readonly<Record<string, KeyConversion | undefined>> = {
  same: undefined,
  'last part': key => key.split('/').at(-1)!,
  'some left out': key => (key.startsWith('tmp/') ? undefined : `new/${key}`),
  backwards: key => [...key].reverse().join(''),
}
const POLICIES: readonly ExistingObjects[] = ['compare', 'overwrite', 'refuse']
const HISTORIES = Number(process.env.STOWAGE_PLAN_HISTORIES ?? 12)
const STEPS = 40

for (const [name, keys] of Object.entries(CONVERSIONS))
  describe(`histories of plans, keys ${name}`, () => {
    it.each(POLICIES)('end as the stores say, with %s', async existing => {
      for (let seed = 0; seed < HISTORIES / POLICIES.length; seed++)
        await history(`${name} ${existing} ${seed}`, keys, existing)
    })
  })

async function history(seed: string, keys: KeyConversion | undefined, existing: ExistingObjects) {
  const random = randomOf(seed)
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!
  const cut = { lists: Number.POSITIVE_INFINITY, batches: Number.POSITIVE_INFINITY }
  const engine = sqlite({ path: ':memory:' })
  const setting = await planSetting({
    from: cutLists(memory(), cut),
    to: cutLists(memory(), cut),
    manifest: forwardEngine(engine, {
      batch: (...given) =>
        cut.batches-- > 0 ? engine.batch(...given) : Promise.reject(new StorageError('unavailable', 'cut')),
    }),
    existing,
    ...(keys === undefined ? {} : { keys }),
  })
  const body = () => `body ${Math.floor(random() * 3)}`
  const destinationKeys = KEYS.flatMap(key => (keys ? (keys(key, { key, size: 0 }) ?? []) : key))
  const steps: Record<string, () => Promise<unknown>> = {
    put: () => setting.from.upload(pick(KEYS), body()),
    'put more': () => setting.from.upload(pick(KEYS), body()),
    remove: () => setting.from.delete(pick(KEYS)),
    'foreign put': () => setting.to.upload(pick(destinationKeys), body()),
    'foreign remove': () => setting.to.delete(pick(destinationKeys)),
    copy: () => copySome(setting, existing, () => random() < 0.7),
    plan: async () => {
      await setting.plan()
      await assertPlanned(setting, keys, existing)
    },
    'plan that is cut': async () => {
      cut[pick(['lists', 'batches'] as const)] = Math.floor(random() * 4)
      await setting.plan().catch(error => {
        if (!isStorageError(error, 'unavailable')) throw error
      })
      cut.lists = cut.batches = Number.POSITIVE_INFINITY
    },
  }
  const made: string[] = []
  try {
    for (let step = 0; step < STEPS; step++) {
      const name = pick(Object.keys(steps))
      made.push(name)
      await steps[name]!()
    }
    await steps.plan!()
  } catch (error) {
    throw new Error(`history '${seed}', after ${made.join(', ')}`, { cause: error })
  } finally {
    await engine.close()
  }
}

/** What a copier does with the rows that it takes, and no more. */
async function copySome(setting: PlanSetting, existing: ExistingObjects, takes: () => boolean) {
  const { from, to, manifest } = setting
  for (const row of await setting.rows()) {
    if (row.state !== 'planned' || !takes()) continue
    const { sourceKey, destinationKey } = row
    const content = await textOf(from, sourceKey)
    const there = await textOf(to, destinationKey)
    if (content === undefined) continue
    const isOurs =
      row.occupant === 'ours' &&
      (await to.info(destinationKey).catch(() => undefined))?.etag === row.destinationEtag
    if (there !== undefined && there !== content && !isOurs && existing !== 'overwrite') {
      const { etag, size } = await to.info(destinationKey)
      const place = { destinationEtag: etag, destinationSize: size, occupant: 'foreign' as const }
      await manifest.write([{ sourceKey, state: 'refused', errorCode: 'exists', ...place }])
      continue
    }
    const { etag, size } = await to.upload(destinationKey, content)
    const read = await from.info(sourceKey)
    await manifest.write([
      {
        sourceKey,
        state: 'copied',
        size: read.size,
        sourceEtag: read.etag,
        occupant: 'ours',
        destinationEtag: etag,
        destinationSize: size,
        errorCode: null,
      },
    ])
  }
}

async function assertPlanned(
  { from, to, manifest, rows }: PlanSetting,
  keys: KeyConversion | undefined,
  existing: ExistingObjects,
) {
  const all = await rows()
  const byKey = new Map(all.map(row => [row.sourceKey, row]))
  const claims = new Map<string, number>()
  for (const { state, destinationKey } of all)
    if (state !== 'gone') claims.set(destinationKey, (claims.get(destinationKey) ?? 0) + 1)
  for (const key of KEYS) {
    const info = await from.info(key).catch(() => undefined)
    const destinationKey = keys === undefined ? key : keys(key, { key, size: 0 })
    const row = byKey.get(key)
    if (info === undefined || destinationKey === undefined) {
      expect(row?.state ?? 'gone').toBe('gone')
      continue
    }
    expect(row).toMatchObject({ destinationKey, size: info.size, sourceEtag: info.etag })
    const { state, occupant, errorCode } = row!
    const there = await to.info(destinationKey).catch(() => undefined)
    if (state === 'copied') expect(there?.etag).toBe(row!.destinationEtag)
    if (state === 'planned') expect(claims.get(destinationKey)).toBe(1)
    if (state === 'planned' && there === undefined) expect(occupant).toBeUndefined()
    if (state === 'planned' && there !== undefined) {
      expect(occupant).toBeDefined()
      expect(row!.destinationEtag).toBe(there.etag)
    }
    if (state === 'refused' && errorCode === 'collision')
      expect(claims.get(destinationKey)).toBeGreaterThan(1)
    else if (state === 'refused') {
      expect(errorCode).toBe('exists')
      expect(there).toBeDefined()
      expect(existing).not.toBe('overwrite')
    } else expect(errorCode).toBeUndefined()
  }
  const before = await rows()
  expect((await manifest.counts()).byState.failed.objects).toBe(0)
  expect(await rows()).toEqual(before)
}

async function textOf(store: StorageProvider, key: string): Promise<string | undefined> {
  try {
    return await (await store.download(key)).text()
  } catch (error) {
    if (isStorageError(error, 'not-found')) return undefined
    throw error
  }
}

function cutLists(inner: StorageProvider, cut: { lists: number }): StorageProvider {
  return forward(inner, {
    list: options => {
      const list = inner.list({ ...options, pageSize: 3 })
      return listingOf({
        page: list.page,
        async *pages() {
          for await (const page of list.pages()) {
            if (cut.lists-- <= 0) throw new StorageError('unavailable', 'list: cut')
            yield page
          }
        },
      })
    },
  })
}
