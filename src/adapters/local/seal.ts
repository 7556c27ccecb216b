import { unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { SealedFile } from './commit.ts'
import { syncFolder } from './folders.ts'
import type { NewSidecar, Sidecars, StoredAttributes } from './sidecar.ts'
import type { TempFile } from './temp-file.ts'

/** A sealed file, and how to take its attributes away again where it did not become an object. */
export interface Sealed extends SealedFile {
  undo(): Promise<void>
}

const MAX_STAMPS = 20

/**
 * Writes the attributes of a temporary file beside it and brings both to the disk, so that the rename which makes
 * it visible can't be seen without them.
 */
export async function seal(
  temp: TempFile,
  key: string,
  stored: StoredAttributes,
  options: { sidecars: Sidecars; durable: boolean; now: () => number },
): Promise<Sealed> {
  const { sidecars, durable, now } = options
  let sidecar: NewSidecar | undefined
  let file = await temp.stamp(now())
  for (let tries = 1; sidecar === undefined; tries++) {
    try {
      sidecar = await sidecars.create(key, file, stored)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === MAX_STAMPS) throw error
      // Another generation of this key has this size and time. A new fraction sets them apart, or a second where
      // the file system counts no smaller ones.
      file = await temp.stamp(now() + Math.max(0, tries - 10) * 1000)
    }
  }
  const { path, handle } = sidecar
  const undo = () => unlink(path).catch(() => {})
  try {
    if (durable) {
      // At once: the disk's journal takes them together.
      const ended = await Promise.allSettled([temp.sync(), handle.sync(), syncFolder(dirname(path))])
      for (const end of ended) if (end.status === 'rejected') throw end.reason
    }
    await Promise.all([handle.close(), temp.close()])
  } catch (error) {
    await handle.close().catch(() => {})
    await undo()
    throw error
  }
  return { temp, file, undo }
}
