/** The file that a body is written to before it becomes an object by its rename. */
import { constants } from 'node:fs'
import { copyFile, type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Body } from '../../core/body.ts'
import { type Checksum, type ChecksumRequest, digest, hasher } from '../../core/checksum.ts'
import { PROCESS_OWNER } from '../../core/process-owner.ts'
import { type FileIdentity, identityOf } from './sidecar.ts'

/** Large enough that the calls cost nothing beside the copying, small enough for many uploads at once. */
const WRITE_BYTES = 1 << 20
/** Chunks of a few bytes are not gathered without end: each costs memory of its own. */
const MAX_GATHERED = 4096
/** From here on one copy costs less than a long vector. */
const MAX_VECTORS = 64

let next = 0

export class TempFile {
  readonly path: string
  #handle: FileHandle | undefined
  #state: 'own' | 'linked' | 'renamed' = 'own'

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  static async create(folder: string, keyHash: string): Promise<TempFile> {
    const path = newPath(folder, keyHash)
    const handle = await open(path, 'wx').catch(async error => {
      if (error.code !== 'ENOENT') throw error
      // Somebody has removed the folder since it was made.
      await mkdir(folder, { recursive: true })
      return open(path, 'wx')
    })
    return new TempFile(path, handle)
  }

  /** A copy of a file, which shares its blocks where the file system can (reflink). */
  static async copyOf(source: string, folder: string, keyHash: string): Promise<TempFile> {
    const path = newPath(folder, keyHash)
    try {
      await copyFile(source, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
      // The copy has the source's mode, which may allow no writing; Windows syncs only what is open for it.
      return new TempFile(path, await open(path, process.platform === 'win32' ? 'r+' : 'r'))
    } catch (error) {
      await removeTemp(path)
      throw error
    }
  }

  /** Writes the body; gives the checksum asked for, or SHA-256. */
  async fill(body: Body, asked: ChecksumRequest | undefined): Promise<Checksum> {
    const handle = this.#open()
    if (body.bytes !== undefined) {
      await writeAll(handle, body.bytes)
      body.sent(body.bytes.length)
      return asked === undefined
        ? { algorithm: 'sha256', value: digest('sha256', body.bytes) }
        : { algorithm: asked.algorithm, value: body.digest! }
    }
    const hash = asked === undefined ? hasher('sha256') : undefined
    const writer = new GatheringWriter(handle)
    try {
      for await (const chunk of body.chunks()) {
        hash?.update(chunk)
        await writer.add(chunk)
      }
      await writer.end()
    } catch (error) {
      await writer.settle()
      throw error
    }
    return asked === undefined
      ? { algorithm: 'sha256', value: hash!.digest() }
      : { algorithm: asked.algorithm, value: body.digest! }
  }

  /** Gives the file a time of its own, which names its attributes, and tells what it is now. */
  async stamp(at: number): Promise<FileIdentity> {
    const handle = this.#open()
    // The fraction sets writes of one millisecond apart.
    const seconds = (at + Math.random()) / 1000
    await handle.utimes(seconds, seconds)
    return identityOf(await handle.stat({ bigint: true }))
  }

  sync(): Promise<void> {
    return this.#open().sync()
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** Whether its bytes are an object now. */
  get isPlaced(): boolean {
    return this.#state !== 'own'
  }

  placed(how: 'linked' | 'renamed'): void {
    this.#state = how
  }

  async dispose(): Promise<void> {
    await this.close()
    if (this.#state !== 'renamed') await removeTemp(this.path)
  }

  #open(): FileHandle {
    if (this.#handle === undefined) throw new Error('the temporary file is closed')
    return this.#handle
  }
}

/** The name tells whose the file is and, by the key's hash, which sidecar goes with it: a crash can be cleared away. */
function newPath(folder: string, keyHash: string): string {
  return join(folder, `${PROCESS_OWNER}.${next++}.${keyHash}`)
}

async function removeTemp(path: string): Promise<void> {
  await unlink(path).catch(error => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** Gathers chunks, so that a slow trickle costs few calls, and takes the next while the last are being written. */
class GatheringWriter {
  readonly #handle: FileHandle
  #gathered: Uint8Array[] = []
  #bytes = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.#gathered.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= WRITE_BYTES || this.#gathered.length >= MAX_GATHERED) await this.#flush()
  }

  async end(): Promise<void> {
    await this.#flush()
    await this.#writing
  }

  /** Waits for what is under way, whatever becomes of it: nothing may be written to a closed file. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => {})
  }

  async #flush(): Promise<void> {
    await this.#writing
    const [gathered, bytes] = [this.#gathered, this.#bytes]
    this.#gathered = []
    this.#bytes = 0
    this.#writing = writeTogether(this.#handle, gathered, bytes)
    // Reported by whoever awaits it next, not as an unhandled rejection.
    this.#writing.catch(() => {})
  }
}

async function writeTogether(handle: FileHandle, chunks: Uint8Array[], bytes: number): Promise<void> {
  if (chunks.length === 0) return
  if (chunks.length > MAX_VECTORS) return writeAll(handle, Buffer.concat(chunks, bytes))
  const { bytesWritten } = await handle.writev(chunks)
  if (bytesWritten < bytes) await writeAll(handle, Buffer.concat(chunks, bytes).subarray(bytesWritten))
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    // A full disk takes a part first and fails the next call.
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at)
    at += bytesWritten
  }
}
