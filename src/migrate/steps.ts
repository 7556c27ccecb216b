import type { MigrationEvent, OnEvent } from './migration-event.ts'

/**
 * A piece of a migration: await it for its result, or iterate over it for its events. It begins with the first of the two and runs
 * once. Leaving the loop early ends it; a loop that is slow slows it down.
 */
export type Steps<Result> = AsyncIterable<MigrationEvent> & PromiseLike<Result>

/** Events that may wait for a slow loop before the work waits, too. */
const MOST_WAITING = 1000

export function steps<Result>(
  work: (onEvent: OnEvent, signal: AbortSignal) => Promise<Result>,
  given: readonly AbortSignal[] = [],
): Steps<Result> {
  const leaving = new AbortController()
  const signal = AbortSignal.any([...given, leaving.signal])
  let running: Promise<Result> | undefined
  let queue: EventQueue | undefined

  const run = () => {
    running ??= work(event => queue?.push(event), signal)
    // Whoever only iterates hears of a failure there.
    running.catch(() => {})
    return running
  }
  return {
    // biome-ignore lint/suspicious/noThenProperty: awaiting it is what it is for
    then: (onResult, onError) => run().then(onResult, onError),
    async *[Symbol.asyncIterator]() {
      const events = new EventQueue()
      queue = events
      let isOver = false
      const running = run().finally(() => {
        isOver = true
        events.close()
      })
      running.catch(() => {})
      try {
        yield* events.drain()
        await running
      } finally {
        queue = undefined
        if (!isOver) leaving.abort()
        events.close()
        // What was under way is over when the loop is.
        await running.catch(() => {})
      }
    },
  }
}

class EventQueue {
  #waiting: MigrationEvent[] = []
  #closed = false
  #wake = () => {}
  #drained: Promise<void> | undefined
  #release = () => {}

  push(event: MigrationEvent): Promise<void> | undefined {
    if (this.#closed) return undefined
    this.#waiting.push(event)
    this.#wake()
    if (this.#waiting.length < MOST_WAITING) return undefined
    this.#drained ??= new Promise(resolve => {
      this.#release = resolve
    })
    return this.#drained
  }

  close(): void {
    this.#closed = true
    this.#wake()
    this.#release()
  }

  async *drain(): AsyncGenerator<MigrationEvent> {
    for (;;) {
      const events = this.#waiting
      this.#waiting = []
      this.#release()
      this.#drained = undefined
      yield* events
      if (this.#waiting.length > 0) continue
      if (this.#closed) return
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}
