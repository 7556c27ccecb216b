/** Bytes that differ from each other all along, so that a part in the wrong place is noticed. */
export function pattern(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed * 2_654_435_761
  const block = Math.min(size, 65_536)
  for (let i = 0; i < block; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state
  }
  for (let at = 65_536; at < size; at += 65_536) {
    bytes.copyWithin(at, 0, Math.min(65_536, size - at))
    new DataView(bytes.buffer, at).setUint8(0, (at / 65_536) & 255)
    if (at + 1 < size) new DataView(bytes.buffer, at).setUint8(1, at >>> 24)
  }
  return bytes
}

/** `bytes` as a stream whose length nobody is told. */
export async function* streamOf(bytes: Uint8Array, chunkSize = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkSize) yield bytes.subarray(at, at + chunkSize)
}

/** Gives `bytes` and then fails. */
export async function* failingAfter(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* streamOf(bytes)
  throw new Error('the source of this body failed on purpose')
}

export interface PausedBody extends AsyncIterable<Uint8Array> {
  /** Resolves when everything before the pause has been taken. */
  readonly paused: Promise<void>
  /** Lets the rest follow. */
  resume(): void
}

/** Gives `before`, waits until it is told to go on, and gives `after`. */
export function pausedBody(before: Uint8Array, after: Uint8Array): PausedBody {
  const { promise: paused, resolve: reached } = withResolvers()
  const { promise: resumed, resolve: resume } = withResolvers()
  return {
    paused,
    resume,
    async *[Symbol.asyncIterator]() {
      yield* streamOf(before)
      reached()
      await resumed
      yield* streamOf(after)
    },
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}

/** `work` on every item, at most 32 under way at once. */
export async function atOnce<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries()
  const lane = async () => {
    for (const [index, item] of queue) await work(item, index)
  }
  await Promise.all(Array.from({ length: Math.min(32, items.length) }, lane))
}
