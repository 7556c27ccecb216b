import { assertProvider } from '../core/assert-provider.ts'
import { asInput, keyBatches, type UncheckedEntry } from '../core/batches.ts'
import { Download } from '../core/download.ts'
import type { StorageError } from '../core/errors.ts'
import { listingOf } from '../core/listing.ts'
import type { KeyInput, OperationName, OperationOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import type { DeleteResult } from '../core/results.ts'
import { cutBody, cutSource } from './fault-cuts.ts'
import { type Fault, type FaultOptions, FaultPlan, type InjectedFault } from './fault-plan.ts'
import { abandon, type Call, intercept } from './forward.ts'
import { addLayer } from './layer.ts'
import { cutRanges } from './watched-source.ts'

export type { FaultKind, FaultOptions, FaultRule, InjectedFault } from './fault-plan.ts'

/** What `faults` has done so far, and the switch to stop it. */
export interface FaultControl {
  /** Every fault, in the order in which they were injected. */
  readonly log: readonly InjectedFault[]
  /** False lets everything pass, and counts nothing. */
  enabled: boolean
}

/**
 * A provider that fails on purpose, by rules or at random, and the same way again for the same `seed` and the same
 * calls: to test what stands around it.
 *
 * - `before`: fails, and `inner` was not asked. - `after`: `inner` has done it, and the call fails with `unavailable`.
 * - `lost-answer`: `inner` has done it, and the call fails with `timeout`. - `hang`: nothing happens until the caller's
 * signal or time ends it. - `cut`: breaks off in the middle, see below.
 *
 * In calls for many keys each key fails, as the contract has it; `cut` fails the second half of the keys. A `cut`
 * `move` has copied and not deleted.
 *
 * Streams: a `cut` download fails within its body; a `cut` upload fails because its body does, so nothing is stored (of a resumable one, parts may be); a
 * `cut` list gives half of a page and then fails. Without a fault bodies pass through untouched.
 *
 * @example
 * ```ts
 * const flaky = faults(memory(), { seed: 7, rules: [{ kind: 'lost-answer', operations: ['upload'], times: 1 }] })
 * await retry(flaky).upload('a.txt', 'a', { ifNoneMatch: '*' }) // stored, though the first answer was lost
 * flaky.faults.log // [{ operation: 'upload', kind: 'lost-answer', key: 'a.txt', call: 0 }]
 * ```
 */
export function faults(
  inner: StorageProvider,
  options: FaultOptions,
): StorageProvider & { readonly faults: FaultControl } {
  assertProvider('faults', inner)
  const plan = new FaultPlan(options, inner.name)

  async function around<Options extends OperationOptions | undefined, T>(
    call: Call<Options>,
    run: (options: Options) => Promise<T>,
    cut: (fault: Fault) => Promise<T> = async fault => {
      throw fault.error()
    },
  ): Promise<T> {
    const fault = plan.next(call)
    if (fault === undefined) return run(call.options)
    if (fault.kind === 'hang') return fault.hang(call.options)
    if (fault.kind === 'before') throw fault.error()
    if (fault.kind === 'cut') return cut(fault)
    const lost = await run(call.options)
    if (lost instanceof Download) lost.cancel()
    throw fault.error()
  }

  async function many<Result>(
    operation: OperationName,
    keys: KeyInput,
    options: OperationOptions | undefined,
    run: (keys: KeyInput) => Promise<Result[]>,
    failed: (key: string, error: StorageError) => Result,
  ): Promise<Result[]> {
    const fault = plan.next({ operation, options })
    if (fault === undefined) return run(keys)
    if (fault.kind === 'hang') return fault.hang(options)
    const all: UncheckedEntry[] = []
    for await (const [entry] of keyBatches(keys, 1, operation, inner.name)) all.push(entry!)
    const done = { before: 0, cut: Math.ceil(all.length / 2) }[fault.kind as string] ?? all.length
    const heard = fault.kind === 'cut' ? done : 0
    const results = await run(all.slice(0, done).map(asInput))
    return all.map((entry, at) => {
      const key = String(entry.key)
      return at < heard ? results[at]! : failed(key, fault.error(key))
    })
  }
  const failedResult = (key: string, error: StorageError) => ({ key, ok: false as const, error })

  const layer = addLayer(inner, 'faults', {
    ...intercept(inner, around),

    upload: (key, body, asked) =>
      around(
        { operation: 'upload', key, options: asked },
        inside => inner.upload(key, body, inside),
        fault => inner.upload(key, cutBody(body, fault), asked),
      ),

    uploadResumable: (key, source, asked) =>
      around(
        { operation: 'uploadResumable', key, options: asked },
        inside => inner.uploadResumable(key, source, inside),
        fault => inner.uploadResumable(key, cutRanges(source, fault), asked),
      ),

    download: (key, asked) =>
      around(
        { operation: 'download', key, options: asked },
        inside => inner.download(key, inside),
        async fault => {
          const download = await inner.download(key, asked)
          return download.through(source => cutSource(source, download.length, fault))
        },
      ),

    move: (from, to, asked) =>
      around(
        { operation: 'move', key: from, to, options: asked },
        inside => inner.move(from, to, inside),
        async fault => {
          await inner.copy(from, to, asked)
          throw fault.error()
        },
      ),

    infoMany: (keys, asked) =>
      many('infoMany', keys, asked, some => inner.infoMany(some, asked), failedResult),
    signedUrls: (keys, asked) =>
      many('signedUrls', keys, asked, some => inner.signedUrls(some, asked), failedResult),
    deleteMany: (keys, asked) =>
      many<DeleteResult>(
        'deleteMany',
        keys,
        asked,
        some => inner.deleteMany(some, asked),
        (key, error) => ({ key, status: 'error', error }),
      ),

    list(asked) {
      const list = inner.list(asked)
      return listingOf({
        page: pageOptions => around({ operation: 'list', options: pageOptions }, inside => list.page(inside)),
        async *pages() {
          const pages = list.pages()[Symbol.asyncIterator]()
          try {
            for (;;) {
              let cut: Fault | undefined
              const next = () => pages.next()
              const step = await around({ operation: 'list', options: asked }, next, fault => {
                cut = fault
                return next()
              })
              if (cut !== undefined) {
                if (!step.done) yield step.value.slice(0, Math.floor(step.value.length / 2))
                throw cut.error()
              }
              if (step.done) return
              yield step.value
            }
          } finally {
            abandon(pages)
          }
        },
      })
    },
  })
  return Object.defineProperty(layer, 'faults', { value: plan, enumerable: true }) as StorageProvider & {
    readonly faults: FaultControl
  }
}
