import { isStorageError, type StorageError } from '../core/errors.ts'
import type { OperationName, OperationOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { syncKey } from './mirror-sync.ts'
import { Semaphore } from './semaphore.ts'
import { underDeadline } from './under-deadline.ts'

export interface MirrorFailure {
  readonly key: string
  readonly operation: OperationName | 'sync'
  /** Name of the replica. Absent: nobody knows whether the primary has been written to, or the queue refused the key. */
  readonly replica?: string
  readonly error: StorageError
}

export interface MirrorWriteSettings {
  readonly onFailure: (failure: MirrorFailure) => void
  readonly later: ((keys: readonly string[]) => void | Promise<void>) | undefined
  readonly concurrency: number
}

/** Writes to the primary, and what follows from them for the replicas. */
export class MirrorWrites {
  readonly #primary: StorageProvider
  readonly #replicas: readonly StorageProvider[]
  readonly #settings: MirrorWriteSettings
  readonly #copies: Semaphore

  constructor(primary: StorageProvider, replicas: readonly StorageProvider[], settings: MirrorWriteSettings) {
    this.#primary = primary
    this.#replicas = replicas
    this.#settings = settings
    this.#copies = new Semaphore(settings.concurrency, Number.POSITIVE_INFINITY)
  }

  /** A write to the primary, then to the replicas. Where the primary's answer is lost, the keys count as written to. */
  run<Options extends OperationOptions | undefined, T>(
    operation: OperationName,
    keys: readonly string[],
    options: Options,
    write: (options: Options) => Promise<T>,
  ): Promise<T> {
    return underDeadline({ operation, key: keys[0]!, options }, this.#primary.name, async inside => {
      let result: T
      try {
        result = await write(inside)
      } catch (error) {
        if (isLost(error)) await this.#uncertain(keys, operation, error)
        throw error
      }
      await this.after(keys, operation, inside?.signal)
      return result
    })
  }

  /** Hands keys that were written to over to the replicas or to the queue. Never rejects: failures are told. */
  async after(
    keys: readonly string[],
    operation: OperationName,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (keys.length === 0) return
    const { later } = this.#settings
    if (later === undefined) {
      await this.toReplicas(keys, operation, signal)
      return
    }
    try {
      await later(keys)
    } catch (error) {
      for (const key of keys) this.#tell({ key, operation, error: error as StorageError })
    }
  }

  /** Makes keys in all replicas what they are in the primary. Never rejects. @returns the first failure */
  async toReplicas(
    keys: readonly string[],
    operation: MirrorFailure['operation'],
    signal: AbortSignal | undefined,
  ): Promise<StorageError | undefined> {
    let first: StorageError | undefined
    const copy = async (key: string, replica: StorageProvider) => {
      const release = await this.#copies.acquire(undefined)
      try {
        await syncKey(this.#primary, replica, key, signal)
      } catch (error) {
        first ??= error as StorageError
        this.#tell({ key, operation, replica: replica.name, error: error as StorageError })
      } finally {
        release()
      }
    }
    await Promise.all(keys.flatMap(key => this.#replicas.map(replica => copy(key, replica))))
    return first
  }

  /** A queue comes later, when the primary answers again; now it would only fail once more. */
  async #uncertain(keys: readonly string[], operation: OperationName, error: StorageError): Promise<void> {
    if (this.#settings.later !== undefined) await this.after(keys, operation, undefined)
    else for (const key of keys) this.#tell({ key, operation, error })
  }

  #tell(failure: MirrorFailure): void {
    try {
      this.#settings.onFailure(failure)
    } catch {
      // Whatever the application does with it, the write has succeeded.
    }
  }
}

/** Whether the primary may have done it all the same. */
function isLost(error: unknown): error is StorageError {
  return (
    isStorageError(error) && (error.uncertain === true || isStorageError(error, 'timeout', 'unavailable'))
  )
}
