import { isStorageError } from '../core/errors.ts'
import type { StorageProvider } from '../core/provider.ts'
import { equal, fails } from './assertions.ts'
import { pattern, streamOf } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { staleEtagOf } from './etags.ts'

const OTHER = 'another-etag'

async function increment(files: StorageProvider, key: string): Promise<void> {
  for (;;) {
    const download = await files.download(key)
    const value = Number(await download.text())
    try {
      await files.upload(key, String(value + 1), { ifMatch: download.info.etag! })
      return
    } catch (error) {
      if (!isStorageError(error, 'precondition-failed', 'conflict')) throw error
    }
  }
}

export const CONDITIONAL_CASES: readonly ConformanceCase[] = [
  {
    id: 'conditional/create-only',
    title: "with ifNoneMatch '*' the first upload wins, a second is already-exists and the content stays",
    covers: [50],
    needs: ['writable', 'createOnly'],
    async run(scope) {
      const key = scope.key('once.txt')
      await scope.files.upload(key, 'first', { ifNoneMatch: '*' })
      for (const body of ['second', streamOf(Buffer.from('second'))])
        await fails(
          () => scope.files.upload(key, body, { ifNoneMatch: '*' }),
          'already-exists',
          'the second upload',
        )
      await scope.holdsBytes(key, 'first')
      await scope.remove(key)
      await scope.files.upload(key, 'third', { ifNoneMatch: '*' })
      await scope.holdsBytes(key, 'third')
    },
  },
  {
    id: 'conditional/create-only-one-winner',
    title: "of ten uploads at once with ifNoneMatch '*', from two processes where there are, one wins",
    covers: [50],
    needs: ['writable', 'createOnly'],
    async run(scope) {
      const key = scope.key('race.txt')
      const handles = [scope.files, await scope.another()]
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, n) =>
          handles[n % 2]!.upload(key, `upload ${n}`, { ifNoneMatch: '*' }),
        ),
      )
      const winners = outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [n] : []))
      equal(winners.length, 1, 'number of winners')
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue
        await fails(() => Promise.reject(outcome.reason), ['already-exists', 'conflict'], 'a loser')
      }
      await scope.holdsBytes(key, `upload ${winners[0]}`)
    },
  },
  {
    id: 'conditional/create-only-multipart',
    title: "ifNoneMatch '*' holds for uploads in parts, too",
    covers: [50],
    needs: ['writable', 'createOnly'],
    async run(outer) {
      const part = outer.context.partSizesBytes?.[0] ?? 5 * 2 ** 20
      const scope = await outer.with({ partSizeBytes: part, multipartThresholdBytes: part })
      const key = scope.key('parts.bin')
      const bytes = pattern(part + 1)
      await scope.files.upload(key, streamOf(bytes), { ifNoneMatch: '*' })
      const again = () => scope.files.upload(key, streamOf(pattern(part + 2)), { ifNoneMatch: '*' })
      await fails(again, 'already-exists', 'the second upload')
      await scope.holdsBytes(key, bytes)
    },
  },
  {
    id: 'conditional/same-content',
    title: "with sameContent 'ok' publishing the same bytes twice is fine, other bytes are already-exists",
    covers: [],
    needs: ['writable', 'createOnly'],
    async run(scope) {
      const key = scope.key('published.txt')
      const options = { ifNoneMatch: '*', sameContent: 'ok' } as const
      await scope.files.upload(key, 'published', options)
      for (const body of ['published', streamOf(Buffer.from('published'), 3)])
        equal((await scope.files.upload(key, body, options)).size, 9, 'size of the same content')
      for (const body of ['publishes', 'longer than published', streamOf(Buffer.from('publishes'), 3)])
        await fails(() => scope.files.upload(key, body, options), 'already-exists', 'other content')
      await scope.holdsBytes(key, 'published')
    },
  },
  {
    id: 'conditional/replace',
    title: 'ifMatch replaces under the current etag; a stale one, or no object, is precondition-failed',
    covers: [51],
    needs: ['writable', 'conditionalReplace'],
    async run(scope) {
      const key = scope.key('replace.txt')
      const stale = await staleEtagOf(scope, key)
      for (const ifMatch of [stale, OTHER])
        await fails(() => scope.files.upload(key, 'lost', { ifMatch }), 'precondition-failed', 'a stale etag')
      await scope.holdsBytes(key, 'second')
      const { etag } = await scope.files.info(key)
      const replaced = await scope.files.upload(key, 'third', { ifMatch: etag! })
      await scope.holdsBytes(key, 'third')
      await scope.files.upload(key, streamOf(Buffer.from('fourth')), { ifMatch: replaced.etag! })
      await scope.holdsBytes(key, 'fourth')
      const missing = scope.key('missing.txt')
      const upload = () => scope.files.upload(missing, 'x', { ifMatch: etag! })
      await fails(upload, 'precondition-failed', 'ifMatch where nothing is stored')
      await scope.isAbsent(missing)
    },
  },
  {
    id: 'conditional/counter',
    title: 'five workers that each add 1 ten times by compare-and-set count to 50',
    covers: [52],
    needs: ['writable', 'conditionalReplace'],
    async run(scope) {
      const key = scope.key('counter.txt')
      await scope.put(key, '0')
      const handles = [scope.files, await scope.another()]
      await Promise.all(
        Array.from({ length: 5 }, async (_, worker) => {
          for (let n = 0; n < 10; n++) await increment(handles[worker % 2]!, key)
        }),
      )
      await scope.holdsBytes(key, '50')
    },
  },
  {
    id: 'conditional/download',
    title:
      'download with ifMatch and ifNoneMatch; what has not changed is precondition-failed with status 304',
    covers: [53],
    needs: ['conditionalRead'],
    async run(scope) {
      const key = scope.key('download.txt')
      const stale = await staleEtagOf(scope, key)
      const etag = (await scope.files.info(key)).etag!
      const read = async (options: object) => (await scope.files.download(key, options)).text()
      equal(await read({ ifMatch: etag }), 'second', 'content under ifMatch')
      equal(await read({ ifNoneMatch: stale }), 'second', 'content under ifNoneMatch')
      equal(await read({ ifMatch: etag, range: { offset: 1, length: 2 } }), 'ec', 'a range under ifMatch')
      await fails(() => read({ ifMatch: stale }), 'precondition-failed', 'a stale ifMatch')
      await fails(
        () => read({ ifMatch: stale, range: { suffix: 0 } }),
        'precondition-failed',
        'a stale ifMatch of no bytes',
      )
      const same = await fails(
        () => read({ ifNoneMatch: etag }),
        'precondition-failed',
        'ifNoneMatch of the current etag',
      )
      equal(same.status, 304, 'error.status of ifNoneMatch')
    },
  },
  {
    id: 'conditional/info',
    title: 'info with ifMatch and ifNoneMatch, as download',
    covers: [54],
    needs: ['conditionalRead'],
    async run(scope) {
      const { files } = scope
      const key = scope.key('info.txt')
      const stale = await staleEtagOf(scope, key)
      const etag = (await files.info(key)).etag!
      equal((await files.info(key, { ifMatch: etag })).size, 6, 'size under ifMatch')
      equal((await files.info(key, { ifNoneMatch: stale })).size, 6, 'size under ifNoneMatch')
      await fails(() => files.info(key, { ifMatch: stale }), 'precondition-failed', 'a stale ifMatch')
      const same = await fails(
        () => files.info(key, { ifNoneMatch: etag }),
        'precondition-failed',
        'ifNoneMatch',
      )
      equal(same.status, 304, 'error.status of ifNoneMatch')
      const missing = () => files.info(scope.key('missing.txt'), { ifMatch: etag })
      await fails(missing, ['not-found', 'precondition-failed'], 'ifMatch of a missing object')
    },
  },
]
