/** Files with records over memory and SQLite in memory, with every clock in the test's hands. */
import { memory } from '../../src/adapters/memory.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward } from '../../src/decorators/forward.ts'
import {
  type RecordedFiles,
  type RecordsEvent,
  type RecordsOptions,
  withRecords,
} from '../../src/records/index.ts'
import type { Engine, Row, Statement } from '../../src/sql/engine.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'

export const signing = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }

export interface Recorded {
  readonly files: RecordedFiles
  /** What lies below: as another program sees the bucket. */
  readonly store: StorageProvider
  readonly engine: Engine
  readonly events: RecordsEvent[]
  /** Moves every clock. */
  advance(ms: number): void
  now(): number
  /** Another process over the same store and database, that has not seen anything yet. */
  another(options?: RecordsOptions): RecordedFiles
  /** Keys in the store. */
  stored(): Promise<string[]>
  rows(sql: string): Promise<readonly Row[]>
}

export interface RecordedOptions extends RecordsOptions {
  /** Stands between the records and the store. */
  through?: (store: StorageProvider) => StorageProvider
  /** Stands between the records and the database. */
  throughEngine?: (engine: Engine) => Engine
}

export function recorded({
  through = same => same,
  throughEngine = same => same,
  ...options
}: RecordedOptions = {}): Recorded {
  let elapsed = 0
  const began = Date.UTC(2026, 0, 1)
  const now = () => began + elapsed
  const store = memory({ signing, now })
  const engine = sqlite({ path: ':memory:' })
  const events: RecordsEvent[] = []
  const clocks: RecordsOptions = {
    now,
    monotonic: () => elapsed,
    // Waiting takes the time it is asked for, and no real one; in the background nothing ever happens by itself.
    async wait(ms, signal, place) {
      if (place === 'background') return new Promise<void>((_, reject) => onAbort(signal, reject))
      await new Promise(resolve => setImmediate(resolve))
      signal?.throwIfAborted()
      elapsed += ms
    },
    random: () => 0.5,
    env: {},
    onEvent: event => void events.push(event),
  }
  let processes = 0
  const make = (more: RecordsOptions) =>
    withRecords(through(store), throughEngine(engine), {
      ...clocks,
      ...options,
      owner: `process-${++processes}`,
      ...more,
    })
  return {
    files: make({}),
    store,
    engine,
    events,
    now,
    advance(ms) {
      elapsed += ms
    },
    another: (more = {}) => make(more),
    async stored() {
      const keys: string[] = []
      for await (const entry of store.list()) if (entry.kind === 'object') keys.push(entry.key)
      return keys
    },
    rows: sql => engine.query([sql] as Statement),
  }
}

function onAbort(signal: AbortSignal | undefined, reject: (reason: unknown) => void): void {
  if (signal?.aborted) reject(signal.reason)
  signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
}

/** `store` with some methods replaced, told through `forward`. */
export function changed(changes: (inner: StorageProvider) => Partial<StorageProvider>) {
  return (store: StorageProvider): StorageProvider => forward(store, changes(store))
}
