import { Readable } from 'node:stream'

/** Where a streamed body comes from, whatever its kind. */
export interface BodySource {
  next(): PromiseLike<IteratorResult<unknown>>
  /** Frees the source, also one that has not been read or that hangs in `next`. */
  stop(): void
  /** Whether it has been read from before it was given: then that it has no bytes left says nothing. */
  readonly touched: boolean
  /** Whether a chunk stays as it is when the next one is asked for. Generators may fill one buffer again. */
  readonly keepsChunks: boolean
}

/** Throws what the source throws where it can't be read at all: a stream that is locked by another reader. */
export function bodySource(input: AsyncIterable<unknown>): BodySource {
  if (input instanceof ReadableStream) return webSource(input)
  const { pipe, destroy } = input as Partial<Readable>
  if (typeof pipe === 'function' && typeof destroy === 'function') return nodeSource(input as Readable)
  return iterableSource(input, false)
}

/** By its own reader: an iterator can't be stopped while it waits for a chunk. */
function webSource(stream: ReadableStream<unknown>): BodySource {
  const touched = Readable.isDisturbed(stream as unknown as Readable)
  const reader = stream.getReader()
  return {
    touched,
    keepsChunks: true,
    async next() {
      const step = await reader.read()
      if (step.done) reader.releaseLock()
      return step as IteratorResult<unknown>
    },
    stop() {
      reader.cancel().then(
        () => reader.releaseLock(),
        () => {},
      )
    },
  }
}

function nodeSource(stream: Readable): BodySource {
  const touched = Readable.isDisturbed(stream)
  const source = iterableSource(stream, true)
  let begun = false
  return {
    touched,
    keepsChunks: true,
    next() {
      begun = true
      return source.next()
    },
    stop() {
      source.stop()
      // Its iterator destroys it only between two chunks. A request that nobody has read still takes an answer.
      if (begun || !('socket' in stream)) stream.destroy()
    },
  }
}

function iterableSource(input: AsyncIterable<unknown>, keepsChunks: boolean): BodySource {
  const iterator = input[Symbol.asyncIterator]()
  return {
    touched: false,
    keepsChunks,
    // As `for await` does it: an iterator written by hand may answer without a promise.
    next: async () => iterator.next(),
    stop() {
      void (async () => iterator.return?.())().catch(() => {})
    },
  }
}
