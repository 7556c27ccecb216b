import type { StorageError } from '../core/errors.ts'

/** What a log, a metric or an alert is made of. `severity: 'alarm'` is for a person to look at. */
export type RecordsEvent = {
  readonly tenant: string
  readonly severity: 'info' | 'warning' | 'alarm'
} & (
  | {
      /** An effect on bytes failed; it is tried again, `attempts` were made. */
      readonly kind: 'job-failed'
      readonly job: JobName
      readonly attempts: number
      readonly error: StorageError
    }
  | {
      /** The limit of attempts is reached: `retryJob` or `cancelJob` must be called, by `stowage doctor` for instance. */
      readonly kind: 'job-stuck'
      readonly job: JobName
      readonly attempts: number
      readonly error: StorageError
    }
  | { readonly kind: 'job-done'; readonly job: JobName }
  | {
      /** A live record whose bytes are not in the store, or are not as many as recorded. */
      readonly kind: 'bytes-missing' | 'bytes-differ'
      readonly key: string
      readonly physical: string
    }
  | {
      /** The bytes of a job are referred to by a record: nothing was deleted. */
      readonly kind: 'still-referred'
      readonly job: JobName
    }
  | {
      /** The store could not tell its time: this machine's was taken. Or it differs by `skewMs` from this machine's. */
      readonly kind: 'clock-unknown' | 'clock-skew'
      readonly skewMs?: number
      readonly error?: StorageError
    }
  | {
      /** A round of the worker failed as a whole: the database can't be reached, or it is of another epoch. */
      readonly kind: 'worker-failed'
      readonly failures: number
      readonly error: StorageError
    }
  | {
      /** The database was restored from a backup or moved: this process's workers have stopped; open it again. */
      readonly kind: 'epoch-changed'
      readonly epoch: number
    }
)

/** Which job of the journal an event is about. `id` is what `retryJob` and `stowage doctor` take. */
export interface JobName {
  readonly id: string
  readonly kind: string
  readonly key: string
  readonly physical: string
}

/** An event without what the record set adds to it. */
export type RecordsEventBody = RecordsEvent extends infer Event
  ? Event extends RecordsEvent
    ? Omit<Event, 'tenant'>
    : never
  : never
