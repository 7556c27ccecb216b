/** The objects under a root in the order of their keys, folder by folder: memory is that of the widest on the way. */
import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { compareKeys } from '../../core/keys.ts'
import { type Folders, isAbsent } from './folders.ts'
import { type KeyPaths, RESERVED } from './key-path.ts'

export interface WalkOptions {
  readonly prefix: string
  readonly delimiter: '/' | undefined
  /** Only what sorts behind it. */
  readonly startAfter: string | undefined
}

/** A key that was there when its folder was read, or the common start of some. */
export type Visited =
  | { readonly kind: 'object'; readonly key: string }
  | { readonly kind: 'prefix'; readonly prefix: string }

/** `name` sorts: a key, or for a folder the start of the keys in it, with its slash. */
interface Entry {
  readonly name: string
  readonly folder: readonly string[] | undefined
}

export function visitObjects(
  folders: Folders,
  paths: KeyPaths,
  options: WalkOptions,
): AsyncGenerator<Visited> {
  return new Walk(folders, paths).visit(options)
}

class Walk {
  readonly #folders: Folders
  readonly #paths: KeyPaths

  constructor(folders: Folders, paths: KeyPaths) {
    this.#folders = folders
    this.#paths = paths
  }

  async *visit({ prefix, delimiter, startAfter }: WalkOptions): AsyncGenerator<Visited> {
    const start = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    const names = this.#paths.foldersOf(start)
    if (names === undefined || !(await this.#folders.areReal(names))) return
    yield* this.#visit(names, start, prefix, delimiter, startAfter)
  }

  async *#visit(
    names: readonly string[],
    start: string,
    prefix: string,
    delimiter: '/' | undefined,
    startAfter: string | undefined,
  ): AsyncGenerator<Visited> {
    for (const { name, folder } of await this.#entries(names, start)) {
      if (!name.startsWith(prefix) && !(folder && prefix.startsWith(name))) continue
      // Whatever a folder holds begins with its name: none of it is behind what sorts behind them all.
      const passed = startAfter !== undefined && compareKeys(name, startAfter) <= 0
      if (passed && (folder === undefined || delimiter !== undefined || !startAfter.startsWith(name)))
        continue
      if (folder === undefined) yield { kind: 'object', key: name }
      else if (delimiter === undefined) yield* this.#visit(folder, name, prefix, undefined, startAfter)
      else if (await this.#holdsObject(folder, name)) yield { kind: 'prefix', prefix: name }
    }
  }

  /** A folder that another tool made, or that is about to go, holds none: it is no prefix. */
  async #holdsObject(names: readonly string[], start: string): Promise<boolean> {
    for await (const _ of this.#visit(names, start, '', undefined, undefined)) return true
    return false
  }

  async #entries(names: readonly string[], start: string): Promise<Entry[]> {
    const entries = new Map<string, Entry>()
    await this.#collect(names, start, entries)
    return [...entries.values()].sort((a, b) => compareKeys(a.name, b.name))
  }

  /** The parts of a long name lie one in the other: they are entries of the folder that the first part is in. */
  async #collect(names: readonly string[], start: string, entries: Map<string, Entry>): Promise<void> {
    for (const dirent of await this.#read(names)) {
      if (names.length === 0 && dirent.name.toLowerCase() === RESERVED) continue
      const { text, mark } = this.#paths.decode(dirent.name)
      const path = [...names, dirent.name]
      if (dirent.isDirectory()) {
        if (mark === 'more') await this.#collect(path, start + text, entries)
        else if (mark === 'none') entries.set(`${start}${text}/`, { name: `${start}${text}/`, folder: path })
      } else if (dirent.isFile() && mark !== 'more') {
        const key = start + text
        // What is under another name than its key's own could not be read by its key: it is not ours.
        if (this.#paths.keyOf(path) === key) entries.set(key, { name: key, folder: undefined })
      }
    }
  }

  async #read(names: readonly string[]): Promise<Dirent[]> {
    try {
      return await readdir(this.#folders.absolute(names.join('/')), { withFileTypes: true })
    } catch (error) {
      // Gone since its parent was read, with all that was in it.
      if (isAbsent(error)) return []
      throw error
    }
  }
}
