/** One move of the round trip: under writes, through kills and falls, to its verified end. */
import { expect } from 'vitest'
import type { StorageProvider } from '../../../src/core/provider.ts'
import type { Manifest } from '../../../src/migrate/manifest.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { MigrateOptions } from '../../../src/migrate/migrate-options.ts'
import type { MigrationResult } from '../../../src/migrate/migration-event.ts'
import { open, openEngine } from '../../../src/open.ts'
import type { Application } from './application.ts'
import { type Blow, type Life, live } from './lives.ts'
import type { MoverTask } from './mover.ts'
import { MOVER_LIMITS } from './mover-limits.ts'
import { differences, type Standing, standingIn } from './standing.ts'
import type { MovingStore } from './stores.ts'

export interface Leg {
  readonly from: MovingStore
  readonly to: MovingStore
  readonly source: StorageProvider
  readonly target: StorageProvider
  /** URL of an empty database. */
  readonly manifest: string
  readonly mover: string
  readonly random: () => number
}

export interface MoveReport {
  readonly lives: number
  readonly killed: number
  readonly fallen: number
  readonly result: MigrationResult
}

/** The application writes all the while, and stops; then the last pass is made. */
export async function moveUnderWrites(
  leg: Leg,
  application: Application,
  kills: number,
): Promise<MoveReport> {
  const { from, to, random } = leg
  const task: MoverTask = { from: from.url, to: to.url, manifest: leg.manifest }
  const env = { ...from.env, ...to.env }
  const some = (most: number) => 1 + Math.floor(random() * most)
  const lives: Life[] = []
  application.start()
  for (let life = 0; life < kills; life++) {
    const fells = [undefined, to, from][life % 3]
    const blows: Blow[] = [{ copies: some(25), kills: true }]
    if (fells !== undefined) blows.unshift({ copies: some(10), fells })
    lives.push(await live(leg.mover, task, env, { blows }))
  }
  await application.stop()
  // Told to be copied, and no other since: it is not put again.
  const copied = new Set<string>()
  for (const { did, key } of lives.flatMap(({ steps }) => steps)) {
    if (application.touched.has(key)) continue
    if (did === 'copied') copied.add(key)
    else expect(copied, `${key} was put after it had been copied`).not.toContain(key)
  }
  return {
    lives: lives.length,
    killed: lives.filter(({ wasKilled }) => wasKilled).length,
    fallen: lives.reduce((sum, { struck, wasKilled }) => sum + struck - (wasKilled ? 1 : 0), 0),
    result: await moveOn(leg),
  }
}

/** The last pass, in a process of its own that nobody disturbs. */
export async function moveOn({ from, to, manifest, mover }: Leg): Promise<MigrationResult> {
  const task: MoverTask = { from: from.url, to: to.url, manifest, level: 'content' }
  const { result, ended } = await live(mover, task, { ...from.env, ...to.env })
  if (result === undefined) throw new Error(`the last pass ended with ${ended}`)
  return result
}

/** The migration and its rows, in this process. */
export async function inspected<T>(
  { source, target, manifest }: Leg,
  inspect: (options: MigrateOptions, rows: Manifest) => Promise<T>,
): Promise<T> {
  const engine = await openEngine(manifest)
  try {
    const options = { from: source, to: target, manifest: engine, limits: MOVER_LIMITS }
    return await inspect(options, await migrate(options).manifest())
  } finally {
    await engine.close()
  }
}

/** The keys that the manifest knows to be at the destination only, and at the source no more. */
export function goneKeys(leg: Leg): Promise<string[]> {
  return inspected(leg, async (_, rows) => {
    const keys: string[] = []
    for await (const row of rows.rows({ states: ['gone'] })) keys.push(row.destinationKey)
    return keys
  })
}

/** What the source holds is at the destination, and nothing else but copies of what was deleted since, of which each is known. */
export async function expectMoved(leg: Leg, application: Application): Promise<Map<string, Standing>> {
  const atSource = await standingIn(leg.source, leg.target)
  expect(differences(application.objects, await standingIn(leg.source))).toEqual([])
  expect([...atSource.keys()].filter(key => !application.objects.has(key))).toEqual([])
  const atTarget = await standingIn(leg.target)
  expect(differences(atSource, atTarget)).toEqual([])
  const gone = new Set(await goneKeys(leg))
  const left = [...atTarget.keys()].filter(key => !atSource.has(key))
  expect(left.filter(key => !gone.has(key))).toEqual([])
  expect(left.filter(key => !application.deleted.has(key))).toEqual([])
  return atSource
}

export function openStore(store: MovingStore): Promise<StorageProvider> {
  return open(store.url, { env: store.env })
}
