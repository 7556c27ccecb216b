/**
 * Objects that have no row in the manifest: at the source since the plan was made, or at the destination by another hand. They are
 * kept as settings, so that a report can list them however many there are.
 */
import type { Manifest, VerifyStatus } from '../manifest.ts'

export interface Stray {
  readonly side: 'source' | 'destination'
  readonly key: string
  /** Bytes. */
  readonly size: number
}

export interface StrayCounts {
  readonly source: number
  readonly destination: number
}

export function strayStatus({ side }: Stray): VerifyStatus {
  return side === 'source' ? 'missing-destination' : 'missing-source'
}

/** For a person. The row of an object that is gone from the source does not count: its copy is a stray. */
export function strayReason({ side }: Stray): string {
  return side === 'source' ? 'new at the source' : 'no object of the source goes there'
}

/** Keys a setting: under a megabyte even where each is as long as S3 allows. */
const PAGE = 200

const SETTING = 'strays'

/**
 * Pages are written beside those that hold, and hold themselves once all are there: a log that is never ended, of a verification that was
 * killed, forgets nothing that was found before.
 */
const SETS = ['strays', 'strays-b'] as const

interface Stored extends StrayCounts {
  readonly pages: number
  /** What the names of the pages begin with. Left out where there was one name for all. */
  readonly set?: (typeof SETS)[number]
}

const NONE: Stored = { source: 0, destination: 0, pages: 0 }

const pageName = (set: Stored['set'], page: number) => `${set ?? SETS[0]}:${page}`

/** Writes what one verification finds. Once it has ended, that stands in place of what the last one found. */
export class StrayLog {
  readonly #manifest: Manifest
  readonly #set: Stored['set']
  readonly #counts = { source: 0, destination: 0 }
  #waiting: Stray[] = []
  #pages = 0

  private constructor(manifest: Manifest, set: Stored['set']) {
    this.#manifest = manifest
    this.#set = set
  }

  static async begin(manifest: Manifest): Promise<StrayLog> {
    const { set = SETS[0] } = await stored(manifest)
    return new StrayLog(manifest, set === SETS[0] ? SETS[1] : SETS[0])
  }

  async add(stray: Stray): Promise<void> {
    this.#counts[stray.side]++
    this.#waiting.push(stray)
    if (this.#waiting.length >= PAGE) await this.#flush()
  }

  async end(): Promise<void> {
    if (this.#waiting.length > 0) await this.#flush()
    const all: Stored = { ...this.#counts, pages: this.#pages, set: this.#set }
    await this.#manifest.setSetting(SETTING, JSON.stringify(all))
  }

  async #flush(): Promise<void> {
    const page = this.#waiting
    this.#waiting = []
    await this.#manifest.setSetting(pageName(this.#set, this.#pages++), JSON.stringify(page))
  }
}

export async function strayCounts(manifest: Manifest): Promise<StrayCounts> {
  const { source, destination } = await stored(manifest)
  return { source, destination }
}

/** What the last verification that ended found, page by page. */
export async function* strays(manifest: Manifest): AsyncGenerator<Stray> {
  const { pages, set } = await stored(manifest)
  for (let page = 0; page < pages; page++) {
    const text = await manifest.setting(pageName(set, page))
    if (text !== undefined) yield* JSON.parse(text) as Stray[]
  }
}

async function stored(manifest: Manifest): Promise<Stored> {
  const text = await manifest.setting(SETTING)
  return text === undefined ? NONE : JSON.parse(text)
}
