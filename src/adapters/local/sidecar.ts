/**
 * Attributes beside the bytes. Each generation of an object has a file of its own under `.stowage/meta/`, named by
 * the key, the data file's modification time in nanoseconds and its size: what a rename keeps and a backup
 * restores. So whoever has opened a data file finds the attributes of exactly these bytes, or none.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Checksum } from '../../core/checksum.ts'
import type { Attributes } from '../../core/driver.ts'
import { syncFolder } from './folders.ts'

/** What stays the same from the temporary file to the object: a rename changes none of it. */
export interface FileIdentity {
  readonly ino: bigint
  readonly mtimeNs: bigint
  readonly size: bigint
}

export interface StoredAttributes extends Attributes {
  readonly etag: string
  readonly checksum?: Checksum
}

interface SidecarContent extends StoredAttributes {
  readonly version: 1
  readonly key: string
  /** Inode of the data file: tells two generations of the same size and time apart. */
  readonly ino: string
}

/** `moved`: attributes of this time and size, but of another file, such as a restored backup's. */
export type FoundSidecar = { readonly stored: StoredAttributes; readonly sameFile: boolean }

const READ_BYTES = 4096

export class Sidecars {
  readonly #folder: string
  readonly #fold: (key: string) => string

  /** `fold` brings the keys that a file system takes for one to one form. */
  constructor(folder: string, fold: (key: string) => string) {
    this.#folder = folder
    this.#fold = fold
  }

  keyHash(key: string): string {
    return createHash('sha256').update(this.#fold(key)).digest('hex').slice(0, 40)
  }

  path(key: string, file: FileIdentity): string {
    return this.pathOfHash(this.keyHash(key), file)
  }

  pathOfHash(keyHash: string, { mtimeNs, size }: Omit<FileIdentity, 'ino'>): string {
    return join(this.#folder, keyHash.slice(0, 2), `${keyHash}.${mtimeNs}.${size}`)
  }

  /** Creates the sidecar and gives its open file, to be synced. Rejects with EEXIST where the name is taken. */
  async create(key: string, file: FileIdentity, stored: StoredAttributes): Promise<NewSidecar> {
    const path = this.path(key, file)
    const content: SidecarContent = { version: 1, key, ino: String(file.ino), ...stored }
    const handle = await open(path, 'wx').catch(async error => {
      if (error.code !== 'ENOENT') throw error
      await mkdir(dirname(path), { recursive: true })
      await syncFolder(this.#folder)
      return open(path, 'wx')
    })
    try {
      await handle.write(Buffer.from(JSON.stringify(content)))
    } catch (error) {
      await handle.close()
      await unlink(path)
      throw error
    }
    return { path, handle }
  }

  /** As `create`, finished. False where another file's attributes have the name. */
  async write(key: string, file: FileIdentity, stored: StoredAttributes, durable: boolean): Promise<boolean> {
    let sidecar: NewSidecar
    try {
      sidecar = await this.create(key, file, stored)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
    try {
      if (durable) await Promise.all([sidecar.handle.sync(), syncFolder(dirname(sidecar.path))])
    } finally {
      await sidecar.handle.close()
    }
    return true
  }

  async find(key: string, file: FileIdentity): Promise<FoundSidecar | undefined> {
    const text = await readText(this.path(key, file))
    if (text === undefined) return undefined
    try {
      const { version, key: _, ino, ...stored } = JSON.parse(text) as SidecarContent
      if (version !== 1) return undefined
      return { stored, sameFile: ino === String(file.ino) }
    } catch {
      // Cut off by a crash before its object became visible, or not ours.
      return undefined
    }
  }

  async remove(key: string, file: FileIdentity): Promise<void> {
    await unlink(this.path(key, file)).catch(ignoreMissing)
  }
}

export interface NewSidecar {
  readonly path: string
  readonly handle: FileHandle
}

/** Changes with every write, also of the same bytes: a lost update is noticed. */
export function newEtag(checksum: Checksum | undefined): string {
  return `${checksum?.value.slice(0, 16) ?? 'file'}-${randomBytes(6).toString('hex')}`
}

/** The etag of a file that another tool put there. */
export function derivedEtag({ ino, mtimeNs, size }: FileIdentity): string {
  return `${size.toString(36)}-${mtimeNs.toString(36)}-${ino.toString(36)}`
}

export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.ino === b.ino && a.mtimeNs === b.mtimeNs && a.size === b.size
}

export function identityOf({ ino, mtimeNs, size }: BigIntStats): FileIdentity {
  return { ino, mtimeNs, size }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

async function readText(path: string): Promise<string | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException)
    return undefined
  }
  try {
    // One read is enough for almost all: metadata is limited to 2 KB.
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, 0)
    if (bytesRead < READ_BYTES) return buffer.toString('utf8', 0, bytesRead)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}
