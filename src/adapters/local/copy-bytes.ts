import { mkdir } from 'node:fs/promises'
import type { ObjectInfo } from '../../core/results.ts'
import type { ObjectFiles } from './object-files.ts'
import { sameIdentity } from './sidecar.ts'
import { TempFile } from './temp-file.ts'

/**
 * A copy of an object's bytes, with the attributes of exactly these; undefined where there is no object. The system
 * copies by path, so it is looked again afterwards whether the path was the same file all the time.
 */
export async function copyBytes(
  files: ObjectFiles,
  key: string,
  folder: string,
  keyHash: string,
): Promise<{ temp: TempFile; info: ObjectInfo } | undefined> {
  for (;;) {
    const found = await files.find(key)
    if (found === undefined) return undefined
    const info = await files.describe(key, found)
    if (info === undefined) continue
    const temp = await TempFile.copyOf(files.absolute(found), folder, keyHash).catch(async error => {
      if (error.code !== 'ENOENT') throw error
      // The source is gone, which the next look tells, or somebody has removed the folder.
      await mkdir(folder, { recursive: true })
    })
    if (!temp) continue
    const now = await files.find(key)
    if (now !== undefined && sameIdentity(now.file, found.file)) return { temp, info }
    await temp.dispose()
  }
}
