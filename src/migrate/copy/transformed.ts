import { createHash } from 'node:crypto'
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
  const hash = createHash('sha256')
  let sum: string | undefined
  async function* watched() {
    for await (const chunk of download) {
      await context.pace.bytes(chunk.length, context.signal)
      hash.update(chunk)
      yield chunk
    }
    sum = checksumText({ kind: 'whole', sha256: hash.digest('hex') })
  }
  const sourceChecksum = () => sum
  const output = checkedChunks(await transform(watched(), download.info))
  const first: Uint8Array[] = []
  let length = 0
  while (length <= WHOLE_BYTES) {
    const { done, value } = await output.next()
    if (done) return { whole: Buffer.concat(first), body: chunksOf(first), sourceChecksum }
    // A generator may fill one buffer again and again.
    first.push(Uint8Array.from(value))
    length += value.length
  }
  async function* body() {
    yield* first
    for (;;) {
      const { done, value } = await output.next()
      if (done) return
      yield value
    }
  }
  return { body: body(), sourceChecksum }
}

async function* checkedChunks(output: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  if (typeof output !== 'object' || output === null || !(Symbol.asyncIterator in output))
    throw notBytes('an async iterable of bytes')
  for await (const chunk of output) {
    if (!(chunk instanceof Uint8Array)) throw notBytes('bytes: each chunk a Uint8Array')
    yield chunk
  }
}

function notBytes(what: string): StorageError {
  return new StorageError('invalid-argument', `migrate: a transform must give ${what}`, {
    operation: 'migrate',
  })
}

async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
