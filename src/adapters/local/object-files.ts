/** Finds the data file of a key and the attributes of exactly its bytes. */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { typeOfName } from '../../core/content-type.ts'
import { StorageError } from '../../core/errors.ts'
import type { ObjectInfo } from '../../core/results.ts'
import { type Folders, isAbsent, type Kind, kindOf } from './folders.ts'
import type { KeyPaths, ObjectPath } from './key-path.ts'
import {
  derivedEtag,
  type FileIdentity,
  identityOf,
  type Sidecars,
  type StoredAttributes,
  sameIdentity,
} from './sidecar.ts'

/** A data file as it was found. */
export interface FoundFile {
  readonly place: ObjectPath
  readonly file: FileIdentity
}

/** A link at the end fails the call (ELOOP), and a named pipe doesn't hang it. Windows knows neither. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Times that a file may be replaced between two looks before somebody else has to decide. */
const MAX_LOOKS = 1000

export class ObjectFiles {
  readonly #paths: KeyPaths
  readonly #folders: Folders
  readonly #sidecars: Sidecars

  constructor(paths: KeyPaths, folders: Folders, sidecars: Sidecars) {
    this.#paths = paths
    this.#folders = folders
    this.#sidecars = sidecars
  }

  /** The key's file: under its own name, or beside a folder that has the name. Links and special files are none. */
  async find(key: string): Promise<FoundFile | undefined> {
    return (await this.#findAt(this.#paths.own(key))) ?? (await this.#findAt(this.#paths.beside(key)))
  }

  /** As `find`, under the key's lock, where both places can be looked at together; and what is in the own place. */
  async locate(key: string): Promise<{ found: FoundFile | undefined; ownPlace: Kind }> {
    const own = this.#paths.own(key)
    const [stats, real, beside] = await Promise.all([
      lstat(this.#folders.absolute(own.path), { bigint: true }).catch(undefinedIfAbsent),
      this.#folders.areReal(own.folders),
      this.#findAt(this.#paths.beside(key)),
    ])
    const ownPlace = kindOf(stats)
    const found = ownPlace === 'file' && real ? { place: own, file: identityOf(stats!) } : beside
    return { found, ownPlace }
  }

  /** The attributes of the key's object. */
  async head(key: string): Promise<ObjectInfo | undefined> {
    for (let look = 0; look < MAX_LOOKS; look++) {
      const found = await this.find(key)
      if (found === undefined) return undefined
      const info = await this.describe(key, found)
      if (info !== undefined) return info
    }
    throw everChanging()
  }

  /** The object's file, opened, with the attributes of the bytes that the handle will read. */
  async open(key: string): Promise<{ handle: FileHandle; info: ObjectInfo } | undefined> {
    for (let look = 0; look < MAX_LOOKS; look++) {
      const opened =
        (await this.#openAt(this.#paths.own(key))) ?? (await this.#openAt(this.#paths.beside(key)))
      if (opened === undefined) return undefined
      const info = await this.describe(key, opened).catch(async error => {
        await opened.handle.close()
        throw error
      })
      if (info !== undefined) return { handle: opened.handle, info }
      await opened.handle.close()
    }
    throw everChanging()
  }

  /** Undefined where the file was replaced in between, so that its attributes may be gone: look again. */
  async describe(key: string, { place, file }: FoundFile): Promise<ObjectInfo | undefined> {
    const sidecar = await this.#sidecars.find(key, file)
    if (sidecar?.sameFile) return toInfo(key, file, sidecar.stored)
    // Attributes are there before their file and go after it. If the file is still in its place, it has none, or
    // these of its time and size are its own: a backup restored the file under another inode.
    const now = await this.#findAt(place)
    if (now === undefined || !sameIdentity(now.file, file)) return undefined
    return toInfo(key, file, sidecar?.stored ?? (await derived(key, file)))
  }

  absolute({ place }: FoundFile): string {
    return this.#folders.absolute(place.path)
  }

  toInfo(key: string, file: FileIdentity, stored: StoredAttributes): ObjectInfo {
    return toInfo(key, file, stored)
  }

  async #findAt(place: ObjectPath): Promise<FoundFile | undefined> {
    const [stats, real] = await Promise.all([
      lstat(this.#folders.absolute(place.path), { bigint: true }).catch(undefinedIfAbsent),
      this.#folders.areReal(place.folders),
    ])
    return stats?.isFile() && real ? { place, file: identityOf(stats) } : undefined
  }

  async #openAt(place: ObjectPath): Promise<(FoundFile & { handle: FileHandle }) | undefined> {
    const real = this.#folders.areReal(place.folders)
    // Looked at below, where the handle can be closed.
    real.catch(() => {})
    const handle = await open(this.#folders.absolute(place.path), READ_FLAGS).catch(undefinedIfNoFile)
    if (handle === undefined) return undefined
    try {
      const stats = await handle.stat({ bigint: true })
      if (stats.isFile() && (await real)) return { place, file: identityOf(stats), handle }
    } catch (error) {
      await handle.close()
      throw error
    }
    await handle.close()
    return undefined
  }
}

function toInfo(key: string, file: FileIdentity, stored: StoredAttributes): ObjectInfo {
  return {
    ...stored,
    key,
    size: Number(file.size),
    lastModified: new Date(Number(file.mtimeNs / 1_000_000n)),
    metadata: stored.metadata ?? {},
  }
}

/** What a file that another tool put there has. */
async function derived(key: string, file: FileIdentity): Promise<StoredAttributes> {
  return {
    contentType: (await typeOfName(key)) ?? 'application/octet-stream',
    etag: derivedEtag(file),
  }
}

function everChanging(): StorageError {
  return new StorageError('conflict', 'the object is being replaced all the time; try again')
}

function undefinedIfAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error
}

/** Nothing, a link (ELOOP), or a socket (ENXIO). */
function undefinedIfNoFile(error: NodeJS.ErrnoException): undefined {
  if (!isAbsent(error) && !['ELOOP', 'ENXIO', 'EISDIR', 'EMLINK'].includes(error.code ?? '')) throw error
}
