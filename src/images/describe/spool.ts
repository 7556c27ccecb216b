import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SourceReader } from '../../core/source-reader.ts'
import { type ImageFile, imageInMemory } from './image-file.ts'

/** Up to here a stream is kept in memory: most photos that were prepared for the web. */
const MEMORY_BYTES = 2 ** 20
const READ_BYTES = 256 * 2 ** 10

/**
 * The beginning of a stream, or all of it, so that it can be looked at and still be read: in memory while it is small,
 * else in a temporary file. `remove` it in any case; the file's name is gone from the moment it is no longer needed.
 */
export class Spool implements ImageFile {
  readonly #parts: Uint8Array[] = []
  #size = 0
  #file: SpoolFile | undefined
  #ended = false
  /** What could not be written: the disk may be full. */
  #failure: unknown

  /**
   * Reads until the stream ends, has given more than `maxBytes`, or no more can be kept. Nothing that was read is lost:
   * `chunks` gives it all.
   *
   * @throws what the stream throws; nothing is left behind
   */
  static async fill(reader: SourceReader, maxBytes: number, folder = tmpdir()): Promise<Spool> {
    const spool = new Spool()
    try {
      while (spool.#size <= maxBytes && spool.#failure === undefined) {
        const chunk = await reader.next()
        if (chunk === undefined) {
          spool.#ended = true
          break
        }
        await spool.#add(chunk, folder)
      }
      return spool
    } catch (error) {
      await spool.remove()
      throw error
    }
  }

  /** Bytes read so far. */
  get size(): number {
    return this.#size
  }

  /** Whether that is the whole stream. */
  get ended(): boolean {
    return this.#ended
  }

  get failure(): unknown {
    return this.#failure
  }

  /** All of it, where it is in memory. */
  get bytes(): Uint8Array | undefined {
    if (this.#file !== undefined) return undefined
    if (this.#parts.length !== 1) this.#parts.splice(0, Infinity, Buffer.concat(this.#parts))
    return this.#parts[0]
  }

  /** The path of the file that holds all but what is in `#parts`. */
  get path(): string | undefined {
    return this.#file?.path
  }

  async read(at: number, length: number): Promise<Uint8Array> {
    return this.#file?.read(at, length) ?? imageInMemory(this.bytes!).read(at, length)
  }

  async #add(chunk: Uint8Array, folder: string): Promise<void> {
    this.#parts.push(chunk)
    this.#size += chunk.length
    if (this.#file === undefined && this.#size <= MEMORY_BYTES) return
    try {
      this.#file ??= await SpoolFile.create(folder)
      for (let part = this.#parts[0]; part !== undefined; part = this.#parts[0]) {
        await this.#file.append(part)
        this.#parts.shift()
      }
    } catch (error) {
      this.#failure = error
    }
  }

  /** What was read, from its beginning. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    if (this.#file !== undefined) yield* this.#file.chunks()
    yield* this.#parts
  }

  /**
   * Takes the file's name away: what is open still reads it, and what kills this process leaves nothing behind. It may
   * fail, as on Windows while a decoder that was too slow still reads: `remove` tries again.
   */
  async unlink(): Promise<void> {
    await this.#file?.unlink().catch(() => {})
  }

  /** Never fails: what came of the image is known by now, and that it was stored must not be lost to a file that stays. */
  async remove(): Promise<void> {
    this.#parts.length = 0
    await this.#file?.close().catch(() => {})
  }
}

class SpoolFile {
  readonly #folder: string
  readonly #handle: FileHandle
  readonly path: string
  /** Bytes that were written whole: a chunk that failed half-way does not count. */
  #written = 0

  private constructor(folder: string, path: string, handle: FileHandle) {
    this.#folder = folder
    this.path = path
    this.#handle = handle
  }

  static async create(parent: string): Promise<SpoolFile> {
    const folder = await mkdtemp(join(parent, 'stowage-image-'))
    const path = join(folder, 'image')
    try {
      return new SpoolFile(folder, path, await open(path, 'wx+', 0o600))
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await this.#handle.write(chunk, at, chunk.length - at, this.#written + at)
      at += bytesWritten
    }
    this.#written += chunk.length
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < this.#written; ) {
      const chunk = await this.read(at, READ_BYTES)
      if (chunk.length === 0) throw new Error('the temporary file has become shorter')
      at += chunk.length
      yield chunk
    }
  }

  async read(at: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.#written - at)))
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at)
    return buffer.subarray(0, bytesRead)
  }

  unlink(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true })
  }

  async close(): Promise<void> {
    await this.#handle.close().finally(() => this.unlink())
  }
}
