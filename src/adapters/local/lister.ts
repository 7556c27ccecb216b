import { mapBounded } from '../../core/batches.ts'
import type { ListAnswer, ListRequest } from '../../core/driver.ts'
import type { ListEntry } from '../../core/results.ts'
import type { Folders } from './folders.ts'
import type { KeyPaths } from './key-path.ts'
import type { ObjectFiles } from './object-files.ts'
import { type Visited, visitObjects } from './walk.ts'

/** Walks that wait for their next page. A list that was left early is pushed out by later ones. */
const MAX_WAITING = 16
/** Files that are looked at together. */
const CONCURRENCY = 8

/** Pages of a walk. Within one iteration the walk goes on where it was, so that no folder is read twice. */
export class Lister {
  readonly #folders: Folders
  readonly #paths: KeyPaths
  readonly #files: ObjectFiles
  readonly #waiting = new Map<string, AsyncGenerator<Visited>>()
  #next = 0

  constructor(folders: Folders, paths: KeyPaths, files: ObjectFiles) {
    this.#folders = folders
    this.#paths = paths
    this.#files = files
  }

  async page({ cursor, limit, signal, ...options }: ListRequest): Promise<ListAnswer> {
    const walk = this.#resume(cursor) ?? visitObjects(this.#folders, this.#paths, options)
    const entries: ListEntry[] = []
    while (entries.length < limit) {
      if (signal?.aborted) throw signal.reason
      const visited: Visited[] = []
      while (visited.length < limit - entries.length) {
        const { value, done } = await walk.next()
        if (done) return { entries: [...entries, ...(await this.#describe(visited))], done: true }
        visited.push(value)
      }
      entries.push(...(await this.#describe(visited)))
    }
    return { entries, done: false, cursor: this.#wait(walk) }
  }

  /** Entries of what is still there. */
  async #describe(visited: readonly Visited[]): Promise<ListEntry[]> {
    const entries = await mapBounded(visited, CONCURRENCY, async (seen): Promise<ListEntry | undefined> => {
      if (seen.kind === 'prefix') return seen
      const info = await this.#files.head(seen.key)
      return info && { kind: 'object', ...info }
    })
    return entries.filter(entry => entry !== undefined)
  }

  #resume(cursor: string | undefined): AsyncGenerator<Visited> | undefined {
    const walk = cursor === undefined ? undefined : this.#waiting.get(cursor)
    if (walk !== undefined) this.#waiting.delete(cursor!)
    return walk
  }

  #wait(walk: AsyncGenerator<Visited>): string {
    const cursor = String(this.#next++)
    this.#waiting.set(cursor, walk)
    if (this.#waiting.size > MAX_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!)
    return cursor
  }
}
