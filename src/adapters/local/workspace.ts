/** The root and the folders that the adapter keeps for itself in it. */
import { realpathSync } from 'node:fs'
import { lstat, mkdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { StorageError } from '../../core/errors.ts'
import { isAbsent, syncFolder } from './folders.ts'
import { RESERVED } from './key-path.ts'

export class Workspace {
  readonly root: string
  readonly temp: string
  readonly meta: string
  readonly locks: string
  #ready: Promise<void> | undefined

  constructor(root: string) {
    this.root = realRoot(resolve(root))
    const own = join(this.root, RESERVED)
    this.temp = join(own, 'tmp')
    this.meta = join(own, 'meta')
    this.locks = join(own, 'locks')
  }

  /** Makes what is missing. Reading makes nothing. */
  ready(): Promise<void> {
    this.#ready ??= this.#make().catch(error => {
      this.#ready = undefined
      throw error
    })
    return this.#ready
  }

  /** A root that is not there yet is empty; one that is a file is a mistake, and no empty list. */
  async assertFolder(): Promise<void> {
    const stats = await stat(this.root).catch(ignoreAbsent)
    if (stats !== undefined && !stats.isDirectory()) throw this.#noFolder()
  }

  #noFolder(cause?: unknown): StorageError {
    return new StorageError(
      'invalid-argument',
      `the root '${this.root}' is not a folder; give another root`,
      { cause },
    )
  }

  async #make(): Promise<void> {
    try {
      await mkdir(this.root, { recursive: true })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST' && code !== 'ENOTDIR') throw error
      throw this.#noFolder(error)
    }
    for (const folder of [join(this.root, RESERVED), this.temp, this.meta, this.locks]) {
      await mkdir(folder).catch(async error => {
        if (error.code !== 'EEXIST') throw error
        if ((await lstat(folder)).isDirectory()) return
        throw new StorageError('permission-denied', `'${folder}' must be a folder; remove what stands there`)
      })
    }
    await syncFolder(this.root)
  }
}

function ignoreAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error
}

/** Links in the root's own path are followed once, here: behind it none is. */
function realRoot(path: string): string {
  try {
    return realpathSync.native(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) return path
    return join(realRoot(dirname(path)), basename(path))
  }
}
