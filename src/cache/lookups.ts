import { LRUCache } from 'lru-cache'
import type { CacheCalls } from './cache-calls.ts'
import { type Ends, type Entry, generationKey, isGeneration, readEntry } from './entry.ts'
import type { Miss } from './flight.ts'

export interface LookupSettings {
  readonly location: string
  readonly version: string
  /** Entries that are remembered in this process. */
  readonly localEntries: number
}

/** What the cache has of an object and one wish. */
export type Found = Omit<Miss, 'key'> & { readonly entry: Entry | undefined }

interface SeenEntry extends Entry {
  readonly generation: string
}

const NOTHING: readonly string[] = []

/** Questions to the cache: which URLs hold. */
export class Lookups {
  readonly #calls: CacheCalls
  readonly #settings: LookupSettings
  /** Entries as this process has seen them last, by their key. They hold while their generation is the present one. */
  readonly #seen: LRUCache<string, SeenEntry> | undefined

  constructor(calls: CacheCalls, settings: LookupSettings) {
    this.#calls = calls
    this.#settings = settings
    const { localEntries: max } = settings
    if (max > 0) this.#seen = new LRUCache({ max })
  }

  /** The key that stands for an object whatever its URLs are asked for. */
  objectOf(key: string): string {
    const { version, location } = this.#settings
    return generationKey(version, location, key)
  }

  /**
   * What the cache has for each key; undefined where it could not be asked. Of entries that this process has seen, only
   * the generation is asked for, which says whether they still hold: most of what is read is small.
   */
  async of(keys: readonly string[], suffix: string, ends: Ends): Promise<(Found | undefined)[]> {
    const asked: string[] = []
    const seen: (SeenEntry | undefined)[] = []
    for (const key of keys) {
      const object = this.objectOf(key)
      const name = object + suffix
      const entry = this.#seen?.get(name)
      const good = entry !== undefined && entry.expiresAt >= ends.notBefore ? entry : undefined
      seen.push(good)
      asked.push(object)
      if (good === undefined) asked.push(name)
    }
    const values = await this.#calls.getMany(asked)
    if (values === undefined) return keys.map(() => undefined)
    const changed: number[] = []
    let next = 0
    const found = seen.map((entry, at): Found | undefined => {
      const object = asked[next]!
      const known = values[next++]
      if (entry === undefined) return this.#found(object, asked[next]!, known, values[next++], ends)
      const name = object + suffix
      if (entry.generation === known) return { object, name, generation: known, stale: NOTHING, entry }
      this.#seen?.delete(name)
      if (isGeneration(known)) changed.push(at)
      return this.#found(object, name, known, isGeneration(known) ? undefined : '', ends)
    })
    if (changed.length === 0) return found
    // Others may have signed under the generation that has come since.
    const entries = await this.#calls.getMany(changed.map(at => found[at]!.name))
    changed.forEach((at, index) => {
      const { object, name, generation } = found[at]!
      found[at] = entries && this.#found(object, name, generation, entries[index], ends)
    })
    return found
  }

  #found(
    object: string,
    name: string,
    known: string | undefined,
    kept: string | undefined,
    ends: Ends,
  ): Found {
    const generation = isGeneration(known) ? known : undefined
    const entry = generation === undefined ? undefined : readEntry(kept, generation, ends)
    if (generation !== undefined && entry !== undefined) {
      this.remember(name, generation, entry)
      return { object, name, generation, stale: NOTHING, entry }
    }
    const stale = kept === undefined ? [] : [name]
    if (known !== generation) stale.push(object)
    return { object, name, generation, stale, entry }
  }

  remember(name: string, generation: string, { url, expiresAt }: Entry): void {
    this.#seen?.set(name, { generation, url, expiresAt })
  }
}
