import { isStorageError, StorageError } from '../../core/errors.ts'
import type { RangeSource } from '../../core/provider.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { Slot } from './adaptive-limit.ts'
import { opened } from './arrival.ts'
import type { GiveBack } from './budget.ts'
import type { CopyContext, CopyTask } from './copy-context.ts'
import { workOf } from './work-of.ts'

interface Held {
  readonly slot: Slot
  readonly giveBack: GiveBack
  readonly bytes: Buffer
}

/** Reads parts of one version of an object. Each holds its memory and a slot from before its first byte until it has been sent. */
export class PartReader implements RangeSource {
  readonly size: number
  readonly #context: CopyContext
  readonly #task: CopyTask
  readonly #etag: string
  readonly #held = new Map<number, Held>()
  /** What made reading fail first. */
  failure: unknown

  constructor(context: CopyContext, task: CopyTask, { size, etag }: ObjectInfo) {
    this.size = size
    this.#context = context
    this.#task = task
    this.#etag = etag!
  }

  async read(start: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    try {
      return await this.#bytes(start, end, signal)
    } catch (error) {
      this.failure ??= asChange(error)
      throw error
    }
  }

  sent({ start, end }: { readonly start: number; readonly end: number }): void {
    const held = this.#held.get(start)
    this.#held.delete(start)
    if (held === undefined) return
    held.slot.done(workOf(end - start))
    this.#context.buffers.giveBack(held.bytes)
    held.giveBack()
  }

  /** Gives back what parts hold that were not sent; but their bytes, which a request that was given up may still read. */
  end(): void {
    for (const { slot, giveBack } of this.#held.values()) {
      slot.release()
      giveBack()
    }
    this.#held.clear()
  }

  async #hold(start: number, length: number, signal: AbortSignal | undefined): Promise<Buffer> {
    // Sent again, it holds them still.
    const held = this.#held.get(start)
    if (held !== undefined) return held.bytes
    const { budget, buffers, limit } = this.#context
    const giveBack = await budget.take(length, signal)
    try {
      const slot = await limit.acquire(signal)
      const bytes = buffers.take(length)
      this.#held.set(start, { giveBack, slot, bytes })
      return bytes
    } catch (error) {
      giveBack()
      throw error
    }
  }

  async #bytes(start: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const bytes = await this.#hold(start, end - start, signal)
    const { pace } = this.#context
    await pace.bytes(end - start, signal)
    // The one that will send it.
    await pace.request(signal)
    const download = await opened(this.#context, this.#task, {
      range: { start, end: end - 1 },
      ifMatch: this.#etag,
      into: bytes,
      ...(signal === undefined ? {} : { signal }),
    })
    let at = 0
    for await (const chunk of download) {
      // What a store has read straight into it is there.
      if (chunk.buffer !== bytes.buffer || chunk.byteOffset !== bytes.byteOffset + at) bytes.set(chunk, at)
      at += chunk.length
    }
    return bytes
  }
}

function asChange(error: unknown): unknown {
  if (!isStorageError(error, 'precondition-failed')) return error
  return new StorageError('conflict', 'migrate: the source changed while it was copied', {
    operation: 'migrate',
    ...(error.key === undefined ? {} : { key: error.key }),
    cause: error,
  })
}
