import { setTimeout } from 'node:timers/promises'
import { StorageError } from '../../core/errors.ts'
import { listingOf } from '../../core/listing.ts'
import type { StorageProvider } from '../../core/provider.ts'
import { forward } from '../../decorators/forward.ts'
import type { RecordedFiles } from '../../records/recorded-files.ts'
import { equal, fails, ok } from '../assertions.ts'
import type { RecordsCase } from './records-conformance-context.ts'

/** An upload that never was: objects under it look like the library's own, and no record knows them. */
const NO_UPLOAD = '01kdvdna00ybjy0g37rzvxneha'

const MOST_TICK_MS = 3_000

/** Store and database held against each other. */
export const AUDIT_CASES: readonly RecordsCase[] = [
  {
    id: 'records/audit',
    title: 'an audit finds what was planted, and nothing else',
    covers: [109],
    async run(scope) {
      const place = await scope.place()
      const files = place.process({ leaseMs: 0 })
      for (const key of ['whole.txt', 'lost.txt', 'cut.txt']) await files.upload(key, 'bytes')
      equal((await files.audit()).findings, [], 'findings where nothing was planted')
      const orphan = ofNoUpload(await files.physicalKey('whole.txt'))
      await place.store.upload(orphan, 'nobody’s')
      await place.store.delete(await files.physicalKey('lost.txt'))
      await place.store.upload(await files.physicalKey('cut.txt'), 'byte')
      const silent = silentUploads(place.store)
      const upload = place.process({}, { store: silent.store }).upload('never.txt', 'bytes')
      await Promise.race([silent.began, upload])
      equal((await files.jobs()).length, 1, 'the number of jobs while an upload is silent')
      equal(
        await kindsOnceStale(files),
        ['bytes-missing', 'orphan', 'size-differs', 'stale-intent'],
        'what was found',
      )
    },
  },
  {
    id: 'records/collect-list-error',
    title: 'collecting deletes nothing where a page of the list fails',
    covers: [110],
    async run(scope) {
      const place = await scope.place()
      const files = place.process()
      await files.upload('a.txt', 'bytes')
      const physical = await files.physicalKey('a.txt')
      const orphan = ofNoUpload(physical).replace(/a(\.[^.]+\.txt)$/, 'z$1')
      await place.store.upload(orphan, 'nobody’s')
      const broken = place.process({}, { store: cutLists(place.store) })
      for (let turn = 1; turn <= 2; turn++)
        await fails(
          () => broken.collect({ apply: true, graceMs: 0, maxShare: 1 }),
          'unavailable',
          `collecting over a list that fails, time ${turn},`,
        )
      ok(await place.store.exists(orphan), 'an orphan was removed by a list that failed')
      ok(await place.store.exists(physical), 'the bytes of a file were removed by a list that failed')
    },
  },
]

/**
 * What an audit finds as soon as it counts an intent of just now as stale: when the store's clock has moved, and some
 * tick only once a second.
 */
async function kindsOnceStale(files: RecordedFiles): Promise<string[]> {
  for (const end = performance.now() + MOST_TICK_MS; ; await setTimeout(5)) {
    const { findings } = await files.audit({ staleMs: 0 })
    const kinds = findings.map(finding => finding.kind).sort()
    if (kinds.includes('stale-intent') || performance.now() > end) return kinds
  }
}

/** The physical key of a file's neighbour, whose upload never was. */
function ofNoUpload(physical: string): string {
  return physical.replace(/\.[^.]+\.txt$/, `.${NO_UPLOAD}.txt`)
}

/** A store whose uploads never end. */
function silentUploads(store: StorageProvider): { store: StorageProvider; began: Promise<void> } {
  let begin = () => {}
  const began = new Promise<void>(resolve => {
    begin = resolve
  })
  const upload = () => {
    begin()
    return new Promise<never>(() => {})
  }
  return { store: forward(store, { upload }), began }
}

/** A store whose lists give everything, and fail where they should end. */
function cutLists(store: StorageProvider): StorageProvider {
  return forward(store, {
    list(options) {
      const list = store.list(options)
      return listingOf({
        page: pageOptions => list.page(pageOptions),
        async *pages() {
          yield* list.pages()
          throw new StorageError('unavailable', 'list: no answer', { operation: 'list' })
        },
      })
    },
  })
}
