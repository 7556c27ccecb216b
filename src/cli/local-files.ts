import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { link, lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Hasher, hasher, isComputed } from '../core/checksum.ts'
import type { Download } from '../core/download.ts'
import { StorageError } from '../core/errors.ts'

export interface LocalFile {
  readonly path: string
  /** Relative to the folder, with slashes: the end of its key. */
  readonly name: string
  readonly size: number
}

/** The files below a folder, in order. Links to files are followed, links to folders are told to `skip`. */
export async function* filesBelow(
  folder: string,
  skip: (path: string, why: string) => void,
  name = '',
): AsyncGenerator<LocalFile> {
  const entries = await readdir(join(folder, name), { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const inside = name === '' ? entry.name : `${name}/${entry.name}`
    const path = join(folder, inside)
    if (entry.isDirectory()) {
      yield* filesBelow(folder, skip, inside)
      continue
    }
    const target = await stat(path).catch(() => undefined)
    if (target?.isFile()) yield { path, name: inside, size: target.size }
    else skip(path, entry.isSymbolicLink() ? 'a link that leads to no file' : 'no file')
  }
}

/** @throws EEXIST where something has this name */
export async function assertFree(path: string): Promise<void> {
  if (await lstat(path).catch(() => undefined))
    throw Object.assign(new Error('something has this name'), { code: 'EEXIST', path })
}

/**
 * Writes a download to `path`, whole or not at all: under another name first, verified, then renamed.
 *
 * @throws `checksum-mismatch`; EEXIST where something is there and `overwrite` is off
 */
export async function saveFile(
  download: Download,
  path: string,
  { overwrite, signal }: { overwrite: boolean; signal: AbortSignal },
): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `.${basename(path).slice(0, 60)}.${randomBytes(6).toString('hex')}.part`)
  try {
    await pipeline(verified(download), createWriteStream(temporary, { flags: 'wx' }), { signal })
    if (overwrite) await rename(temporary, path)
    else await link(temporary, path).catch(error => Promise.reject(Object.assign(error, { path })))
  } finally {
    await rm(temporary, { force: true })
  }
}

/** The bytes of a download; throws at their end where they don't have the checksum that the store gives. */
export async function* verified(download: Download): AsyncGenerator<Uint8Array> {
  const { checksum, key } = download.info
  const known =
    checksum !== undefined && checksum.compositeParts === undefined && isComputed(checksum.algorithm)
  const hash: Hasher | undefined = known ? hasher(checksum.algorithm as 'sha256') : undefined
  for await (const chunk of download) {
    hash?.update(chunk)
    yield chunk
  }
  if (hash !== undefined && hash.digest() !== checksum!.value.toLowerCase())
    throw new StorageError('checksum-mismatch', 'the bytes do not have the checksum that the store gives', {
      key,
    })
}
