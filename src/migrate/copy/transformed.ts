import { createHash } from 'node:crypto'
import { untilEnded } from '../../core/deadline.ts'
import type { Download } from '../../core/download.ts'
import { StorageError } from '../../core/errors.ts'
import type { BodyTransform } from '../migrate-options.ts'
import { checksumText } from './checksum-text.ts'
import type { CopyContext } from './copy-context.ts'
import { WHOLE_BYTES } from './copy-settings.ts'

/** What a transform gives out: whole where it is small, else as a stream. */
export interface TransformedBody {
  readonly whole?: Uint8Array
  readonly body: AsyncIterable<Uint8Array>
  /** Of what went in; not known of a source that was not read to its end. */
  sourceChecksum(): string | undefined
}

/** Runs a transform over a download, and looks ahead so far that small outputs are whole before they are sent. */
export async function transformed(
  context: CopyContext,
  transform: BodyTransform,
  download: Download,
): Promise<TransformedBody> {
  const input = new TransformInput(context, download)
  const output = outputOf(context, transform, input, download)
  const first: Uint8Array[] = []
  let length = 0
  while (length <= WHOLE_BYTES) {
    const { done, value } = await output.next()
    if (done) return { whole: Buffer.concat(first), body: output, sourceChecksum: () => input.checksum }
    // A generator may fill one buffer again and again.
    first.push(Uint8Array.from(value))
    length += value.length
  }
  async function* body() {
    yield* first.splice(0)
    yield* output
  }
  return { body: body(), sourceChecksum: () => input.checksum }
}

/**
 * The source's bytes on their way into a transform. Where they fail they end: a `pipe` passes no error on, and ends the process
 * by it. What the transform then gives is dropped.
 */
class TransformInput {
  checksum: string | undefined
  failure: unknown
  readonly #context: CopyContext
  readonly #download: Download

  constructor(context: CopyContext, download: Download) {
    this.#context = context
    this.#download = download
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const { pace, signal } = this.#context
    const hash = createHash('sha256')
    try {
      for await (const chunk of this.#download) {
        await pace.bytes(chunk.length, signal)
        hash.update(chunk)
        yield chunk
      }
      this.checksum = checksumText({ kind: 'whole', sha256: hash.digest('hex') })
    } catch (error) {
      this.failure = error
    }
  }
}

async function* outputOf(
  { signal }: CopyContext,
  transform: BodyTransform,
  input: TransformInput,
  { info }: Download,
): AsyncGenerator<Uint8Array> {
  try {
    const given: unknown = await untilEnded((async () => transform(input.chunks(), info))(), signal)
    if (typeof given !== 'object' || given === null || !(Symbol.asyncIterator in given))
      throw notBytes('an async iterable of bytes')
    for await (const chunk of endingWith(signal, given as AsyncIterable<unknown>)) {
      if (input.failure !== undefined) break
      if (!(chunk instanceof Uint8Array)) throw notBytes('bytes: each chunk a Uint8Array')
      yield chunk
    }
    if (input.failure !== undefined) throw input.failure
  } catch (error) {
    if (input.failure !== undefined) throw input.failure
    throw error instanceof StorageError ? error : failed('the transform', error)
  }
}

/** A transform that hangs is not waited for when the run ends, nor for its end. */
async function* endingWith<Item>(signal: AbortSignal, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  const iterator = items[Symbol.asyncIterator]()
  let isOver = false
  try {
    for (;;) {
      const { done, value } = await untilEnded(iterator.next(), signal)
      isOver = done === true
      if (isOver) return
      yield value
    }
  } finally {
    if (!isOver) void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

function notBytes(what: string): StorageError {
  return new StorageError('invalid-argument', `migrate: a transform must give ${what}`, {
    operation: 'migrate',
  })
}

/** A function of the caller's has thrown. */
export function failed(what: string, cause: unknown): StorageError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StorageError('invalid-argument', `migrate: ${what} failed: ${reason}`, {
    operation: 'migrate',
    cause,
  })
}
