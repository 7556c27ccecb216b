/**
 * The whole of a move, there and back: a Supabase (a real one where the environment names it), MinIO, versitygw and the Supabase again, under an
 * application that writes, with processes and servers that are killed, and with corruption at each destination.
 * STOWAGE_TEST_HOUSE=10 makes it ten times as large.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { seededRandom } from '../../../src/decorators/seeded-random.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { bundledWorker } from '../../support/bundled-worker.ts'
import { Application, keysHeldBy } from './application.ts'
import { expectMoved, goneKeys, inspected, type Leg, moveOn, moveUnderWrites, openStore } from './leg.ts'
import { rotOnMinio, rotOnVersitygw, rotten } from './rot.ts'
import type { Standing } from './standing.ts'
import { s3Store, supabaseStore } from './stores.ts'

const TIMES = Number(process.env.STOWAGE_TEST_HOUSE ?? 1)
const SEED = Number(process.env.STOWAGE_TEST_SEED ?? 6)

test('a house that is lived in moves from Supabase to MinIO, to versitygw, and back, and loses nothing', {
  timeout: 600_000 * TIMES,
}, async context => {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-house-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const mover = await bundledWorker(join(import.meta.dirname, 'mover.ts'))
  onTestFinished(mover.remove)
  const minio = await s3Store('minio', context)
  const versitygw = await s3Store('versitygw', context)
  const [supabase, back] = [await supabaseStore(), await supabaseStore()]
  const stores = [supabase, minio, versitygw, back]
  const providers = await Promise.all(stores.map(openStore))
  onTestFinished(async () => void (await Promise.all(providers.map(provider => provider.close()))))
  const random = seededRandom(SEED)
  const keys = keysHeldBy(providers)

  let standing: Map<string, Standing> | undefined
  for (let at = 0; at < 3; at++) {
    const [from, to, source, target] = [stores[at]!, stores[at + 1]!, providers[at]!, providers[at + 1]!]
    const begun = performance.now()
    const manifest = `sqlite:${join(folder, `${at}.db`)}`
    const leg: Leg = { from, to, source, target, manifest, mover: mover.path, random }
    const application = new Application(`leg-${at}`, source, random, standing)
    await application.fill({
      keys: standing === undefined ? keys : [],
      small: (standing === undefined ? 100 : 20) * TIMES,
      large: (standing === undefined ? 3 : 1) * TIMES,
    })
    application.touched.clear()
    const { result, ...figures } = await moveUnderWrites(leg, application, 4 * TIMES)
    expect(result).toMatchObject({ complete: true, failed: 0, refused: 0 })
    expect(figures.killed).toBeGreaterThan(0)
    expect(figures.fallen).toBeGreaterThan(0)
    standing = await expectMoved(leg, application)

    // Deleted at the source while it was moved: the copies are somebody's to be deleted, and are not left to the next leg.
    const gone = await goneKeys(leg)
    await target.deleteMany(gone)
    const rot = keysOf(standing, random)
    const onTheWay = new Set(to === versitygw ? [] : rot)
    if (to === versitygw) for (const key of rot) await rotOnVersitygw(versitygw, key)
    if (to === minio)
      for (const key of rot.filter(key => key.startsWith('large/'))) {
        await rotOnMinio(minio, key)
        onTheWay.delete(key)
      }
    const wrong = await wrongIn({ ...leg, target: rotten(target, onTheWay) })
    expect(wrong, `what is rotten in ${to.name}`).toEqual(rot)
    for (const key of rot) await target.delete(key)
    expect(await moveOn(leg)).toMatchObject({ complete: true, copied: rot.length })

    expect(await wrongIn(leg)).toEqual([])
    await expectMoved(leg, application)
    console.log(
      `${from.name} to ${to.name}: ${standing.size} objects, ${JSON.stringify({ ...figures, ...application.done, gone: gone.length, seconds: Math.round((performance.now() - begun) / 1000) })}`,
    )
  }
})

/** Three small ones and a large one. */
function keysOf(standing: ReadonlyMap<string, Standing>, random: () => number): string[] {
  const pick = (prefix: string) => {
    const keys = [...standing].filter(([key, { size }]) => key.startsWith(prefix) && size > 0)
    return keys[Math.floor(random() * keys.length)]![0]
  }
  return [...new Set([pick('small/'), pick('small/'), pick('small/'), pick('large/')])].sort()
}

/** What a verification of all that was copied finds, by reading it. */
function wrongIn(leg: Leg): Promise<string[]> {
  return inspected(leg, async (options, rows) => {
    const { complete, statuses } = await migrate(options).verify({ level: 'content' })
    const wrong: string[] = []
    for await (const row of rows.rows({ states: ['copied'] }))
      if (row.status !== 'match') wrong.push(row.destinationKey)
    expect(complete, JSON.stringify(statuses)).toBe(wrong.length === 0)
    return wrong
  })
}
