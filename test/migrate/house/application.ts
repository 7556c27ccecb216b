/** An application that goes on writing, overwriting and deleting, and knows what it has stored. */
import { setTimeout as wait } from 'node:timers/promises'
import {
  ASCII_KEYS,
  BACKSLASH_KEYS,
  BRACKET_KEYS,
  EDGE_KEYS,
  PERCENT_KEYS,
  QUOTED_KEYS,
  SLASH_KEYS,
  SOME_ODD_KEYS,
  UNICODE_KEYS,
} from '../../../src/conformance/odd-keys.ts'
import { keyProblem } from '../../../src/core/keys.ts'
import type { ObjectAttributes } from '../../../src/core/options.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { retry } from '../../../src/decorators/retry.ts'
import { attributesOf, type Standing, sha256Of } from './standing.ts'

const MIB = 2 ** 20
/** Of one move, so that a slow machine has no more to do than a quick one. */
const MOST_OPERATIONS = 120

/** Each behind a number of its own, so that a name that is a folder for another stands in no one's way. */
const KIT_KEYS = [
  ...new Set([
    ...SOME_ODD_KEYS,
    ...SLASH_KEYS,
    ...BACKSLASH_KEYS,
    ...QUOTED_KEYS,
    ...UNICODE_KEYS,
    ...ASCII_KEYS,
    ...BRACKET_KEYS,
    ...EDGE_KEYS,
    ...PERCENT_KEYS,
    'café.txt'.normalize('NFC'),
    'café.txt'.normalize('NFD'),
    's'.repeat(180),
    `${'long/'.repeat(100)}key`,
  ]),
].map((name, at) => `kit/${at}/${name}`)

/** The kit's keys that all of the stores say they can hold. */
export function keysHeldBy(stores: readonly StorageProvider[]): string[] {
  return KIT_KEYS.filter(key => stores.every(store => keyProblem(key, store.capabilities.keys) === undefined))
}

export interface ApplicationSize {
  readonly keys: readonly string[]
  readonly small: number
  readonly large: number
}

export class Application {
  /** What the application believes to be stored: it was told so. */
  readonly objects: Map<string, Standing>
  readonly deleted = new Set<string>()
  /** Keys that were written or deleted since the start. */
  readonly touched = new Set<string>()
  readonly done = { written: 0, overwritten: 0, deleted: 0 }
  readonly #bodies = new Map<string, { bytes: Uint8Array; attributes: ObjectAttributes }>()
  /** What happened to them is not known: an answer was lost. */
  readonly #unsure = new Set<string>()
  readonly #store: StorageProvider
  readonly #inner: StorageProvider
  readonly #random: () => number
  #running: Promise<void> | undefined
  #isStopped = false
  #acted = () => {}
  #names = 0

  /** `name` begins the keys that this one makes. `objects`: what is there already. */
  constructor(
    readonly name: string,
    store: StorageProvider,
    random: () => number,
    objects: ReadonlyMap<string, Standing> = new Map(),
  ) {
    this.#inner = store
    this.#random = random
    this.objects = new Map(objects)
    this.#store = retry(store, {
      random,
      onRetry: ({ key }) => {
        if (key !== undefined) this.#unsure.add(key)
      },
    })
  }

  async fill({ keys, small, large }: ApplicationSize): Promise<void> {
    const rest: (readonly [key: string, size?: number])[] = [
      ...keys.map((key, at) => [key, at % 7 === 0 ? 0 : this.#below(3_000)] as const),
      ...Array.from({ length: small }, () => [this.#newKey('small')] as const),
      ...Array.from({ length: large }, () => [this.#newKey('large')] as const),
    ].reverse()
    const put = async () => {
      for (let next = rest.pop(); next !== undefined; next = rest.pop()) await this.#put(...next)
    }
    await Promise.all(Array.from({ length: 8 }, put))
  }

  start(most = MOST_OPERATIONS): void {
    this.#isStopped = false
    this.#running = (async () => {
      for (let left = most; left > 0 && !this.#isStopped; left--) {
        await this.#act()
        this.#acted()
        await wait(this.#below(50))
      }
    })()
  }

  /** Resolves when the application has done so much more. */
  async acts(operations: number): Promise<void> {
    for (let left = operations; left > 0; left--)
      await new Promise<void>(resolve => {
        this.#acted = resolve
      })
  }

  /** Resolves when every one of its operations is known to have been done. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
    // What a server that went away had under way may have been stored behind what came later.
    for (const key of [...this.#unsure]) {
      const body = this.#bodies.get(key)
      if (body === undefined) await this.#store.delete(key)
      else await this.#store.upload(key, body.bytes, body.attributes)
    }
    this.#unsure.clear()
  }

  async #act(): Promise<void> {
    const chance = this.#random()
    const known = [...this.objects.keys()].filter(key => !key.startsWith('kit/') || this.#random() < 0.1)
    const old = known[this.#below(known.length)]
    try {
      if (chance < 0.2 && old !== undefined && this.#mayGo(old)) await this.#delete(old)
      else if (chance < 0.6 && old !== undefined) {
        await this.#put(old)
        this.done.overwritten++
      } else {
        const again = [...this.deleted][this.#below(this.deleted.size)]
        await this.#put(chance < 0.65 && again !== undefined ? again : this.#newKey('small'))
        this.done.written++
      }
    } catch {
      // The store is away. What is to be there is written down, and `stop` sees to it.
    }
  }

  /** A large object is always left, which the end of a test asks for. */
  #mayGo(key: string): boolean {
    if (!key.startsWith('large/')) return true
    return [...this.objects.keys()].filter(other => other.startsWith('large/')).length > 1
  }

  async #delete(key: string): Promise<void> {
    this.touched.add(key)
    this.objects.delete(key)
    this.#bodies.delete(key)
    this.deleted.add(key)
    this.done.deleted++
    await this.#surely(key, () => this.#store.delete(key))
  }

  async #surely(key: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#unsure.add(key)
      throw error
    }
  }

  async #put(
    key: string,
    size = key.startsWith('large/') ? this.#largeSize() : this.#below(20_000),
  ): Promise<void> {
    const bytes = this.#bytes(size)
    const attributes = this.#attributes(key)
    this.touched.add(key)
    this.#bodies.set(key, { bytes, attributes })
    this.deleted.delete(key)
    this.objects.set(key, {
      sha256: sha256Of(bytes),
      size,
      attributes: attributesOf(attributes, this.#inner),
    })
    await this.#surely(key, () => this.#store.upload(key, bytes, attributes))
  }

  #attributes(key: string): ObjectAttributes {
    const number = this.#below(100_000)
    const can = this.#inner.capabilities
    const chance = () => this.#random() < 0.4
    return {
      contentType: key.startsWith('large/') ? 'application/x-large' : `text/x-number-${number % 3}`,
      metadata: chance() ? { number: String(number), 'two-words': 'a  b', plain_name: 'Grüße ☺' } : {},
      ...(chance() ? { cacheControl: `public, max-age=${number}, immutable` } : {}),
      ...(can.contentDisposition && chance()
        ? { contentDisposition: `attachment; filename="report (${number}).pdf"` }
        : {}),
      ...(can.contentEncoding && chance() ? { contentEncoding: 'gzip' } : {}),
      ...(can.contentLanguage && chance() ? { contentLanguage: 'de-CH' } : {}),
    }
  }

  #bytes(size: number): Uint8Array {
    const bytes = Buffer.alloc(size)
    for (let at = 0; at < size; at += 1024) bytes[at] = this.#below(256)
    if (size >= 4) bytes.writeUInt32LE(this.#below(2 ** 32), size - 4)
    return bytes
  }

  #newKey(kind: string): string {
    return `${kind}/${this.name}/${++this.#names}.bin`
  }

  #largeSize(): number {
    return 6 * MIB + this.#below(5 * MIB)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}
