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
const NONE = { source: 0, destination: 0, pages: 0 }

const pageName = (page: number) => `strays:${page}`

/** Writes what one verification finds, in place of what the last one found. */
export class StrayLog {
  readonly #manifest: Manifest
  readonly #counts = { source: 0, destination: 0 }
  #waiting: Stray[] = []
  #pages = 0

  constructor(manifest: Manifest) {
    this.#manifest = manifest
  }

  get counts(): StrayCounts {
    return { ...this.#counts }
  }

  /** Forgets the last verification's first: its pages are about to be written over. */
  async begin(): Promise<void> {
    await this.#finish()
  }

  async add(stray: Stray): Promise<void> {
    this.#counts[stray.side]++
    this.#waiting.push(stray)
    if (this.#waiting.length >= PAGE) await this.#flush()
  }

  async end(): Promise<void> {
    if (this.#waiting.length > 0) await this.#flush()
    await this.#finish()
  }

  async #flush(): Promise<void> {
    const page = this.#waiting
    this.#waiting = []
    await this.#manifest.setSetting(pageName(this.#pages++), JSON.stringify(page))
  }

  #finish(): Promise<void> {
    return this.#manifest.setSetting(SETTING, JSON.stringify({ ...this.#counts, pages: this.#pages }))
  }
}

export async function strayCounts(manifest: Manifest): Promise<StrayCounts> {
  const { source, destination } = await stored(manifest)
  return { source, destination }
}

/** What the last verification found, page by page. */
export async function* strays(manifest: Manifest): AsyncGenerator<Stray> {
  const { pages } = await stored(manifest)
  for (let page = 0; page < pages; page++) {
    const text = await manifest.setting(pageName(page))
    if (text !== undefined) yield* JSON.parse(text) as Stray[]
  }
}

async function stored(manifest: Manifest): Promise<StrayCounts & { pages: number }> {
  const text = await manifest.setting(SETTING)
  return text === undefined ? NONE : JSON.parse(text)
}
