/** The moments when objects change: each is one rename or unlink under the key's lock. */
import { link, rename, unlink } from 'node:fs/promises'
import { StorageError } from '../../core/errors.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { lacksHardLinks } from './file-system.ts'
import { type Folders, isAbsent, type Kind } from './folders.ts'
import type { KeyLocks } from './key-lock.ts'
import type { KeyPaths, ObjectPath } from './key-path.ts'
import type { FoundFile, ObjectFiles } from './object-files.ts'
import type { FileIdentity, Sidecars } from './sidecar.ts'
import type { TempFile } from './temp-file.ts'

export interface Conditions {
  readonly ifNoneMatch?: '*' | undefined
  readonly ifMatch?: string | undefined
}

/** A body in its temporary file, with its attributes beside it, both on the disk. */
export interface SealedFile {
  readonly temp: TempFile
  readonly file: FileIdentity
}

/** Called between the steps of a change, so that tests can stop the process there. */
export type OnStep = (step: string) => void

/** Times that folders may come and go under a change before it gives up. */
const MAX_TRIES = 1000

export class Commits {
  readonly #paths: KeyPaths
  readonly #folders: Folders
  readonly #sidecars: Sidecars
  readonly #files: ObjectFiles
  readonly #locks: KeyLocks
  readonly #onStep: OnStep

  constructor(
    paths: KeyPaths,
    folders: Folders,
    sidecars: Sidecars,
    files: ObjectFiles,
    locks: KeyLocks,
    onStep: OnStep,
  ) {
    this.#paths = paths
    this.#folders = folders
    this.#sidecars = sidecars
    this.#files = files
    this.#locks = locks
    this.#onStep = onStep
  }

  /** Puts the sealed file in the key's place. Until then, and whatever fails, what was there stays. */
  async place(
    key: string,
    { temp }: SealedFile,
    conditions: Conditions,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { place, replaced } = await this.#inPlace(key, signal, async () => {
      const { found: current, ownPlace } = await this.#files.locate(key)
      await this.assertConditions(key, conditions, current)
      const target = current?.place ?? (await this.#freePlace(key, ownPlace))
      const path = this.#folders.absolute(target.path)
      this.#onStep('before rename')
      const linked = conditions.ifNoneMatch !== undefined && (await linkOrRefuse(temp.path, path))
      if (!linked) await rename(temp.path, path)
      temp.placed(linked ? 'linked' : 'renamed')
      this.#onStep('after rename')
      return { place: target, replaced: current }
    })
    await this.#folders.sync(place.folders.join('/'))
    if (replaced !== undefined) await this.#sidecars.remove(key, replaced.file)
    this.#onStep('after cleaning')
  }

  async remove(key: string, ifMatch: string | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const removed = await this.#locks.hold([this.#sidecars.keyHash(key)], signal, async () => {
      const current = await this.#files.find(key)
      await this.assertConditions(key, { ifMatch }, current)
      if (current === undefined) return undefined
      const beside = this.#paths.beside(key).path
      // A file that another tool put in the object's own place hides the one beside it: that goes first, or it
      // would come back.
      if (current.place.path !== beside) await unlink(this.#folders.absolute(beside)).catch(ignoreAbsent)
      await unlink(this.#folders.absolute(current.place.path))
      this.#onStep('after unlink')
      return current
    })
    if (removed === undefined) return false
    await this.#folders.sync(await this.#folders.prune(removed.place.folders))
    await this.#sidecars.remove(key, removed.file)
    this.#onStep('after cleaning')
    return true
  }

  /**
   * Renames the object, whose new attributes `prepare` writes. Gives false where only a copy will do: attributes
   * of another file of the same time and size stand under the destination.
   */
  async move(
    from: string,
    to: string,
    conditions: Conditions,
    signal: AbortSignal | undefined,
    prepare: (source: FoundFile, info: ObjectInfo) => Promise<boolean>,
  ): Promise<boolean> {
    const names = [from, to].map(key => this.#sidecars.keyHash(key))
    const moved = await this.#inPlace(
      to,
      signal,
      async () => {
        const source = await this.#files.find(from)
        await this.assertConditions(from, { ifMatch: conditions.ifMatch }, source)
        const info = source && (await this.#files.describe(from, source))
        if (source === undefined || info === undefined) throw notFound()
        const { found: current, ownPlace } = await this.#files.locate(to)
        await this.assertConditions(to, { ifNoneMatch: conditions.ifNoneMatch }, current)
        // Two names of one file: the system's rename would do nothing and leave both.
        if (current?.file.ino === source.file.ino) return undefined
        const target = current?.place ?? (await this.#freePlace(to, ownPlace))
        if (!(await prepare(source, info))) return undefined
        this.#onStep('before rename')
        const [path, destination] = [source.place.path, target.path].map(at => this.#folders.absolute(at))
        try {
          await rename(path!, destination!)
        } catch (error) {
          await this.#sidecars.remove(to, source.file)
          throw error
        }
        this.#onStep('after rename')
        await unlink(this.#folders.absolute(this.#paths.beside(from).path)).catch(ignoreAbsent)
        return { source, target, replaced: current }
      },
      names,
    )
    if (moved === undefined) return false
    const { source, target, replaced } = moved
    await this.#folders.sync(target.folders.join('/'))
    await this.#folders.sync(await this.#folders.prune(source.place.folders))
    await this.#sidecars.remove(from, source.file)
    if (replaced !== undefined) await this.#sidecars.remove(to, replaced.file)
    return true
  }

  /** @throws `already-exists`; `precondition-failed` */
  async assertConditions(
    key: string,
    { ifNoneMatch, ifMatch }: Conditions,
    current: FoundFile | undefined,
  ): Promise<void> {
    if (ifNoneMatch !== undefined && current !== undefined) throw alreadyExists()
    if (ifMatch === undefined) return
    const info = current && (await this.#files.describe(key, current))
    if (info?.etag !== ifMatch) {
      throw new StorageError('precondition-failed', 'the object has another etag by now, or is gone')
    }
  }

  /** Runs `work` under the locks with the key's folders made; once more where another took them away meanwhile. */
  async #inPlace<T>(
    key: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
    locks: readonly string[] = [this.#sidecars.keyHash(key)],
  ): Promise<T> {
    const { folders } = this.#paths.own(key)
    for (let tries = 1; ; tries++) {
      await this.#makeFolders(folders, signal)
      try {
        return await this.#locks.hold(locks, signal, () => {
          if (signal?.aborted) throw signal.reason
          return work()
        })
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        const again = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY'].includes(code ?? '') && tries < MAX_TRIES
        if (again) continue
        await this.#folders.prune(folders)
        throw error
      }
    }
  }

  /** Where an object that is not there yet goes. */
  async #freePlace(key: string, ownPlace: Kind): Promise<ObjectPath> {
    const own = this.#paths.own(key)
    if (ownPlace === 'other') throw this.#folders.inTheWay(own.path)
    if (ownPlace !== 'folder') return own
    const beside = this.#paths.beside(key)
    if (beside.folders.length !== own.folders.length) await this.#folders.make(beside.folders, this.#refuse)
    if ((await this.#folders.kindOf(beside.path)) === 'none') return beside
    throw this.#folders.inTheWay(beside.path)
  }

  #makeFolders(names: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    return this.#folders.make(names, at => this.#stepAside(at, signal))
  }

  /** An object has the name that a folder needs: it goes on beside the folder. Readers look there, too. */
  async #stepAside(names: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const path = names.join('/')
    const key = this.#paths.keyOf(names)
    if (key === undefined) throw this.#folders.inTheWay(path)
    await this.#locks.hold([this.#sidecars.keyHash(key)], signal, async () => {
      if ((await this.#folders.kindOf(path)) !== 'file') return
      const beside = this.#paths.beside(key)
      await this.#folders.make(beside.folders, this.#refuse)
      await rename(this.#folders.absolute(path), this.#folders.absolute(beside.path))
      await this.#folders.sync(beside.folders.join('/'))
      this.#onStep('after stepping aside')
    })
  }

  readonly #refuse = async (names: readonly string[]): Promise<never> => {
    throw this.#folders.inTheWay(names.join('/'))
  }
}

/** Creates the name only where none is, also against other tools; false where the file system has no hard links. */
async function linkOrRefuse(temp: string, path: string): Promise<boolean> {
  try {
    await link(temp, path)
    return true
  } catch (error) {
    if (lacksHardLinks(error)) return false
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? alreadyExists() : error
  }
}

function ignoreAbsent(error: unknown): void {
  if (!isAbsent(error)) throw error
}

export function alreadyExists(): StorageError {
  return new StorageError('already-exists', 'something is stored under this key')
}

export function notFound(): StorageError {
  return new StorageError('not-found', 'nothing is stored under this key')
}
