import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface SmallDisk {
  readonly path: string
  remove(): Promise<void>
}

/** A disk of 8 MiB, or undefined where this user may not mount one. */
export async function smallDisk(): Promise<SmallDisk | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'stowage-small-disk-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path])
  } catch {
    await rm(path, { recursive: true })
    return undefined
  }
  return {
    path,
    async remove() {
      await run('umount', [path])
      await rm(path, { recursive: true })
    },
  }
}
