import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Spooled {
  readonly path: string
  readonly size: number
  readonly sha256: string
  stream(): AsyncIterable<Uint8Array>
}

/** A folder for databases that pass through, readable by this user only and gone at the end of `work`. */
export async function withFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-records-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Writes a stream to a file and says what came. */
export async function spool(path: string, bytes: AsyncIterable<Uint8Array>): Promise<Spooled> {
  const hash = createHash('sha256')
  const handle = await open(path, 'wx', 0o600)
  let size = 0
  try {
    for await (const chunk of bytes) {
      hash.update(chunk)
      size += chunk.length
      let at = 0
      while (at < chunk.length) at += (await handle.write(chunk, at)).bytesWritten
    }
  } finally {
    await handle.close()
  }
  return { path, size, sha256: hash.digest('hex'), stream: () => createReadStream(path) }
}
