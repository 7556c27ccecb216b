import { rememberOutcome } from '../core/cache-outcomes.ts'
import { untilEnded } from '../core/deadline.ts'
import { StorageError } from '../core/errors.ts'
import type { KeyResult, SignedUrl } from '../core/results.ts'
import type { CacheCalls } from './cache-calls.ts'
import { type Entry, endsOf, entrySuffix, entryValue, isGeneration, readEntry, type Wish } from './entry.ts'
import { Flight, type Miss, type Signed } from './flight.ts'
import type { Invalidations } from './invalidations.ts'
import { type LookupSettings, Lookups } from './lookups.ts'

export interface UrlCacheSettings extends LookupSettings {
  readonly marginMs: number
  readonly now: () => number
  readonly monotonic: () => number
  readonly newGeneration: () => string
}

/** Signs keys, without the cache: a result per key, in their order. Rejects with nothing. */
export type Sign = (
  keys: readonly string[],
  signal: AbortSignal | undefined,
) => Promise<KeyResult<SignedUrl>[]>

/** URLs from the cache, and what is not there signed once and kept. */
export class UrlCache {
  readonly #calls: CacheCalls
  readonly #invalidations: Invalidations
  readonly #settings: UrlCacheSettings
  /** Signings under way, by the entry's key. */
  readonly #flights = new Map<string, Flight>()
  readonly #lookups: Lookups
  #turns = 0

  constructor(calls: CacheCalls, invalidations: Invalidations, settings: UrlCacheSettings) {
    this.#calls = calls
    this.#invalidations = invalidations
    this.#settings = settings
    this.#lookups = new Lookups(calls, settings)
  }

  /** One question to the cache, one signing of what is not there, one answer to it. */
  async urls(
    keys: readonly string[],
    wish: Wish,
    sign: Sign,
    signal: AbortSignal | undefined,
  ): Promise<KeyResult<SignedUrl>[]> {
    const { now, marginMs } = this.#settings
    const turn = this.#turns++
    // Both before and after: the cache may be told while it is asked.
    const untold = keys.map(key => this.#invalidations.has(this.#lookups.objectOf(key)))
    const results: KeyResult<SignedUrl>[] = new Array(keys.length)
    const misses: (Miss & { readonly at: number })[] = []
    const direct: number[] = []
    const found = await untilEnded(
      this.#lookups.of(keys, entrySuffix(wish), endsOf(wish, now(), marginMs)),
      signal,
    )
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at]!
      const one = found[at]
      if (one === undefined || untold[at] || this.#invalidations.has(one.object)) direct.push(at)
      else if (one.entry === undefined) misses.push({ at, key, ...one })
      else results[at] = handedOut(key, { ok: true, outcome: 'hit', value: urlOf(one.entry, wish) })
    }
    if (found.some(one => one !== undefined)) this.#invalidations.retry()
    await Promise.all([
      this.#signed(misses, turn, wish, sign, signal, results),
      this.#signedDirectly(keys, direct, sign, signal, results),
    ])
    return results
  }

  /** Waits for what is being signed already, and signs the rest as one batch. */
  async #signed(
    misses: readonly (Miss & { readonly at: number })[],
    turn: number,
    wish: Wish,
    sign: Sign,
    signal: AbortSignal | undefined,
    results: KeyResult<SignedUrl>[],
  ): Promise<void> {
    if (misses.length === 0) return
    const now = this.#settings.monotonic()
    const fresh = new Map<string, Miss>()
    const flights = new Set<Flight>()
    for (const miss of misses) {
      const flight = this.#flights.get(miss.name)
      if (flight?.takes(miss.name, miss.generation, turn, now)) flights.add(flight)
      else fresh.set(miss.name, miss)
    }
    if (fresh.size > 0) flights.add(this.#takeOff([...fresh.values()], wish, sign, now))
    const signed = new Map<string, Signed>()
    for (const found of await Promise.all([...flights].map(flight => flight.results(signal))))
      for (const [name, one] of found) signed.set(name, one)
    for (const { at, key, name } of misses) results[at] = handedOut(key, signed.get(name)!)
  }

  #takeOff(misses: readonly Miss[], wish: Wish, sign: Sign, now: number): Flight {
    const began = { startedAt: now, turn: this.#turns++ }
    const flight = new Flight(misses, began, (all, signal) => this.#fly(all, wish, sign, signal))
    for (const name of flight.names) this.#flights.set(name, flight)
    void flight.over().then(() => {
      for (const name of flight.names) if (this.#flights.get(name) === flight) this.#flights.delete(name)
    })
    return flight
  }

  async #fly(
    misses: readonly Miss[],
    wish: Wish,
    sign: Sign,
    signal: AbortSignal,
  ): Promise<Map<string, Signed>> {
    const ready = await this.#prepare(misses)
    const urls = await sign(
      misses.map(miss => miss.key),
      signal,
    )
    const signed = new Map<string, Signed>()
    misses.forEach(({ name }, at) => {
      const url = urls[at]!
      signed.set(name, url.ok ? { ok: true, value: url.value, outcome: ready ? 'miss' : 'error' } : url)
    })
    if (ready) await this.#keep(misses, wish, signed)
    return signed
  }

  /**
   * Agrees with all processes on the generations to sign under, before anything is signed: a delete that comes later
   * removes them, and with them what is signed under them. Whether the cache did it.
   */
  async #prepare(misses: readonly Miss[]): Promise<boolean> {
    const lacking = misses.filter(miss => miss.generation === undefined)
    const { newGeneration } = this.#settings
    const ttlMs = LEAST_GENERATION_MS
    const stale = misses.flatMap(miss => miss.stale)
    const cleared = stale.length === 0 || (await this.#calls.deleteMany(stale, 'sign'))
    const proposals = lacking.map(({ object }) => ({ key: object, value: newGeneration(), ttlMs }))
    const agreed = cleared && proposals.length > 0 ? await this.#calls.setMany(proposals) : []
    lacking.forEach((miss, at) => {
      // Of none, nobody may join: the signing that follows is older than what they have seen.
      miss.generation = agreed?.[at] ?? ''
    })
    return cleared && agreed !== undefined
  }

  /** Keeps what was signed, and hands out what another process was faster to keep. */
  async #keep(misses: readonly Miss[], wish: Wish, signed: Map<string, Signed>): Promise<void> {
    const { now, marginMs, newGeneration } = this.#settings
    const ends = endsOf(wish, now(), marginMs)
    const kept: { miss: Miss; value: string; ttlMs: number }[] = []
    for (const miss of misses) {
      const one = signed.get(miss.name)!
      if (!one.ok || !isGeneration(miss.generation)) continue
      const entry = { url: one.value.url, expiresAt: one.value.expiresAt.getTime() }
      const value = entryValue(miss.generation, entry)
      // What could not be read again is of no use: too short or too long a life, a URL of another kind, headers that must be sent.
      if (readEntry(value, miss.generation, { ...ends, notBefore: ends.notBefore + 1 }) === undefined)
        continue
      if (Object.keys(one.value.headers).length > 0) continue
      kept.push({ miss, value, ttlMs: Math.ceil(entry.expiresAt - ends.notBefore) })
    }
    if (kept.length === 0) return
    const winners = await this.#calls.setMany(
      kept.flatMap(({ miss, value, ttlMs }) => [
        // A generation must outlive its entries; one that was lost is not brought back, but replaced by one that nobody holds.
        { key: miss.object, value: newGeneration(), ttlMs: Math.max(ttlMs, LEAST_GENERATION_MS) },
        { key: miss.name, value, ttlMs },
      ]),
    )
    kept.forEach(({ miss, value }, at) => {
      const winner = winners?.[2 * at + 1]
      const entry = readEntry(winner, miss.generation!, ends)
      if (entry !== undefined) this.#lookups.remember(miss.name, miss.generation!, entry)
      if (winner === value) return
      const own = signed.get(miss.name) as Signed & { ok: true }
      if (winners === undefined) signed.set(miss.name, { ...own, outcome: 'error' })
      else if (entry !== undefined) signed.set(miss.name, { ...own, value: urlOf(entry, wish) })
    })
  }

  /** What the cache can't be asked about is signed for each caller: nobody knows what was deleted meanwhile. */
  async #signedDirectly(
    keys: readonly string[],
    direct: readonly number[],
    sign: Sign,
    signal: AbortSignal | undefined,
    results: KeyResult<SignedUrl>[],
  ): Promise<void> {
    if (direct.length === 0) return
    const urls = await untilEnded(
      sign(
        direct.map(at => keys[at]!),
        signal,
      ),
      signal,
    )
    direct.forEach((at, index) => {
      const url = urls[index]!
      results[at] = handedOut(keys[at]!, url.ok ? { ...url, outcome: 'error' } : url)
    })
  }
}

/** Long enough to sign under: then `#keep` makes it live for as long as its entry. */
const LEAST_GENERATION_MS = 10 * 60_000

function urlOf({ url, expiresAt }: Entry, { method }: Wish): SignedUrl {
  return { url, expiresAt: new Date(expiresAt), method, headers: {} }
}

/** Each caller gets objects of its own: a date, say, can be changed by whoever holds it. */
function handedOut(key: string, signed: Signed): KeyResult<SignedUrl> {
  if (!signed.ok) {
    const { error } = signed
    const known = error instanceof StorageError
    return { key, ok: false, error: known ? error : new StorageError('internal', String(error)) }
  }
  const { outcome, value } = signed
  const own = outcome === 'hit' ? value : { ...value, expiresAt: new Date(value.expiresAt) }
  rememberOutcome(own, outcome)
  return { key, ok: true, value: own }
}
