import { describe, expect, it } from 'vitest'
import { memoryCache, type SignedUrlCache } from '../../src/cache/index.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { DAY, Signer } from './stack.ts'

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const HISTORIES = 300
const KEYS = ['a', 'b']
const WISHES = [{}, { expiresIn: DAY }, { download: true }] as const

/**
 * One history: two processes that sign, upload, delete and move, each at its own pace, over a store that signs slowly
 * and a cache that answers late and, now and then, loses a key. What is asked for after a change has ended must have been
 * signed after that change.
 */
async function history(seed: number, invalidates = true): Promise<void> {
  const next = random(seed)
  const some = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!
  const pause = async () => {
    // Turns of the event loop's own queue: the same order for the same seed, whatever the machine is doing.
    for (let turns = Math.floor(next() ** 2 * 60); turns > 0; turns--) await undefined
  }
  const signer = new Signer()
  const inner = memoryCache({ now: signer.clock.now })
  const names = new Set<string>()
  const cache: SignedUrlCache = {
    async getMany(keys) {
      await pause()
      const values = await inner.getMany(keys)
      await pause()
      return values
    },
    async setMany(entries) {
      await pause()
      for (const { key } of entries) names.add(key)
      const winners = await inner.setMany(entries)
      await pause()
      return winners
    },
    async deleteMany(keys) {
      await pause()
      if (!invalidates) return
      await inner.deleteMany(keys)
      await pause()
    },
  }
  const slow = {
    get gate() {
      return pause()
    },
  }
  Object.defineProperty(signer, 'gate', Object.getOwnPropertyDescriptor(slow, 'gate')!)
  const processes = [1, 2].map(() => signer.cached({ cache, localEntries: seed % 3 }))
  /** For each key the version that is the oldest whose URLs may be handed out to who asks from now on. */
  const least = new Map<string, number>(KEYS.map(key => [key, 0]))
  const changed = (...keys: string[]) => {
    for (const key of keys) least.set(key, Math.max(least.get(key)!, seen.get(key)!))
  }
  /** Versions as they were when a change had been made, before its invalidation. */
  const seen = new Map<string, number>(KEYS.map(key => [key, 0]))
  const change = async (work: () => Promise<unknown>, ...keys: string[]) => {
    const before = new Map(keys.map(key => [key, signer.version.get(key) ?? 0]))
    await work().catch(() => {})
    // This change has made at least the version after the one it found.
    for (const key of keys) seen.set(key, Math.max(seen.get(key)!, before.get(key)! + 1))
    changed(...keys)
  }
  const ask = async (files: StorageProvider) => {
    const wish = some(WISHES)
    const oldest = new Map(least)
    const keys = next() < 0.5 ? [some(KEYS)] : KEYS
    const results =
      keys.length === 1
        ? [{ key: keys[0]!, url: (await files.signedUrl(keys[0]!, wish)).url }]
        : (await files.signedUrls(keys, wish)).map(one => ({
            key: one.key,
            url: one.ok ? one.value.url : '',
          }))
    for (const { key, url } of results) {
      const version = signer.versions.get(url)
      if (version === undefined || version < oldest.get(key)!)
        throw new Error(
          `seed ${seed}: a URL of ${key}, version ${version}, though ${oldest.get(key)} had begun`,
        )
    }
  }
  const live = async (files: StorageProvider) => {
    for (let step = 0; step < 12; step++) {
      const dice = next()
      const key = some(KEYS)
      if (dice < 0.55) await ask(files)
      else if (dice < 0.7) await change(() => files.delete(key), key)
      else if (dice < 0.85) await change(() => files.upload(key, 'x'), key)
      else if (dice < 0.95) await inner.deleteMany([some([...names, ''])])
      else await pause()
    }
  }
  await Promise.all(processes.flatMap(files => [live(files), live(files)]))
}

describe('whatever two processes do', () => {
  it('no URL is handed out that was signed before a change that had ended', async () => {
    for (let seed = 1; seed <= HISTORIES; seed++) await history(seed)
  }, 120_000)

  it('the check would notice one: without invalidation it fails', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map(seed => history(seed, false)))
    expect(outcomes.filter(outcome => outcome.status === 'rejected').length).toBeGreaterThan(0)
  })
})
