/** Folders under the root: made when an object needs them, gone with their last one, never entered by a link. */
import type { Stats } from 'node:fs'
import { lstat, mkdir, open, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageError } from '../../core/errors.ts'

/** What a path component turned out to be. */
export type Kind = 'folder' | 'file' | 'other' | 'none'

export class Folders {
  readonly root: string
  readonly #durable: boolean

  constructor(root: string, durable: boolean) {
    this.root = root
    this.#durable = durable
  }

  absolute(path: string): string {
    return join(this.root, path)
  }

  /** Whether every one of these names, one in the other, is a folder and no link to one. */
  async areReal(names: readonly string[]): Promise<boolean> {
    if (names.length === 0) return true
    const kinds = await Promise.all(names.map((_, i) => this.kindOf(names.slice(0, i + 1).join('/'))))
    return kinds.every(kind => kind === 'folder')
  }

  async kindOf(path: string): Promise<Kind> {
    try {
      return kindOf(await lstat(this.absolute(path)))
    } catch (error) {
      if (isAbsent(error)) return 'none'
      throw error
    }
  }

  /**
   * Makes the folders, one in the other. `onFile` must move an object that has the name of one out of the way.
   *
   * @throws `permission-denied` where a link, a device or a socket stands in the way
   */
  async make(names: readonly string[], onFile: (names: readonly string[]) => Promise<void>): Promise<void> {
    if (await this.areReal(names)) return
    for (let depth = 1; depth <= names.length; ) {
      const at = names.slice(0, depth)
      const path = at.join('/')
      const kind = await this.kindOf(path)
      if (kind === 'other') throw this.inTheWay(path)
      if (kind === 'file') await onFile(at)
      if (kind === 'folder') depth++
      if (kind !== 'none') continue
      try {
        await mkdir(this.absolute(path))
        await this.sync(at.slice(0, -1).join('/'))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        // Another came first, or took away the folder above with its last object.
        if (code === 'ENOENT') depth = 1
        else if (code !== 'EEXIST') throw error
      }
    }
  }

  /** Removes the folders that are empty now, the innermost first. Gives the path of the first that stays. */
  async prune(names: readonly string[]): Promise<string> {
    for (let depth = names.length; depth > 0; depth--) {
      const path = names.slice(0, depth).join('/')
      try {
        await rmdir(this.absolute(path))
      } catch (error) {
        // ENOENT: another pruned it. Anything else: it is in use, or is not ours to remove.
        if (!isAbsent(error)) return path
      }
    }
    return ''
  }

  /** Makes what was created, renamed or removed in a folder outlast a power cut. */
  async sync(path: string): Promise<void> {
    if (this.#durable) await syncFolder(this.absolute(path))
  }

  inTheWay(path: string): StorageError {
    return new StorageError(
      'permission-denied',
      `'${path}' in the root is a link or a special file; links are never followed and never replaced: remove it, or use another key`,
    )
  }
}

export async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders; NTFS journals its names by itself.
  if (process.platform === 'win32') return
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(path, 'r')
  } catch (error) {
    // Pruned by another, who made that last.
    if (isAbsent(error)) return
    throw error
  }
  try {
    await handle.sync()
  } catch (error) {
    // Some network file systems sync no folders.
    if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await handle.close()
  }
}

export function kindOf(stats: Pick<Stats, 'isDirectory' | 'isFile'> | undefined): Kind {
  if (stats === undefined) return 'none'
  return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'other'
}

/** Nothing there, or a file where a folder would have to be. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}
