import type { UnfinishedUploadsOptions } from '../core/options.ts'
import type { UnfinishedUpload } from '../core/results.ts'
import { ConformanceError, equal, fails, ok } from './assertions.ts'
import { pattern, pausedBody } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { inParts, partSizes } from './multipart.ts'
import type { Scope } from './scope.ts'

/** Times that a list is asked for until an upload that has begun stands in it: no clock, so nothing waits in vain. */
const MOST_LOOKS = 1000

interface UnderWay {
  readonly listed: UnfinishedUpload
  readonly bytes: Uint8Array
  /** Lets the rest of the body follow; the upload's own outcome. */
  finish(): Promise<unknown>
}

/** Begins an upload in parts and stops in the middle of it, as a process that was killed would. */
async function begin(scope: Scope, key: string): Promise<UnderWay> {
  // Who has to know the last part reads one ahead: of three the first is sent before the third is whole.
  const bytes = pattern(partSizes(scope)[0]! * 3)
  const cut = bytes.length - 1000
  const body = pausedBody(bytes.subarray(0, cut), bytes.subarray(cut))
  const upload = scope.files.upload(key, body)
  // Told to whoever calls `finish`.
  upload.catch(() => {})
  await Promise.race([body.paused, upload])
  for (let look = 0; look < MOST_LOOKS; look++) {
    const [listed] = await unfinished(scope, { prefix: key })
    if (listed === undefined) continue
    return {
      listed,
      bytes,
      finish() {
        body.resume()
        return upload
      },
    }
  }
  body.resume()
  await upload.catch(() => {})
  throw new ConformanceError(`an upload in parts to ${JSON.stringify(key)} that is under way is not listed`)
}

/** Again and again, as a part that is on its way when its upload is aborted may be stored after that. */
async function abort(scope: Scope, { key, uploadId }: UnfinishedUpload): Promise<void> {
  for (let round = 0; round < 30; round++) await scope.files.abortUpload(key, uploadId)
}

/** What names an upload. Its begin does not: some servers tell the time of its latest part. */
function idOf({ key, uploadId }: UnfinishedUpload): string {
  return `${key} ${uploadId}`
}

async function unfinished(scope: Scope, options: UnfinishedUploadsOptions): Promise<UnfinishedUpload[]> {
  const uploads: UnfinishedUpload[] = []
  for await (const upload of scope.files.unfinishedUploads(options)) uploads.push(upload)
  return uploads
}

/** A server says that the upload is gone, or hangs up on whoever sends a part of it. */
const ENDED = ['conflict', 'unavailable'] as const

export const UNFINISHED_UPLOAD_CASES: readonly ConformanceCase[] = [
  {
    id: 'unfinished/listed-until-they-end',
    title:
      'an upload in parts is listed with key, id and begin while it is under way, and not when it is stored',
    covers: [],
    needs: ['writable', 'unfinishedUploads'],
    async run(outer) {
      const scope = await inParts(outer)
      const key = scope.key('slow.bin')
      equal(await unfinished(scope, { prefix: key }), [], 'uploads before the first')
      const { listed, bytes, finish } = await begin(scope, key)
      equal(listed.key, key, 'key')
      ok(listed.uploadId !== '', 'uploadId is empty')
      const off = Math.abs((listed.startedAt?.getTime() ?? 0) - (await scope.files.clock()).getTime())
      ok(listed.startedAt === undefined || off < 30_000, `startedAt is ${off} ms off the store's clock`)
      await finish()
      await scope.holdsBytes(key, bytes)
      equal(await unfinished(scope, { prefix: key }), [], 'uploads after the last')
    },
  },
  {
    id: 'unfinished/abort',
    title: 'an upload that is aborted from outside is listed no more and fails, and the object is as it was',
    covers: [],
    needs: ['writable', 'unfinishedUploads'],
    async run(outer) {
      const scope = await inParts(outer)
      const key = scope.key('aborted.bin')
      await scope.put(key, 'as it was')
      const { listed, finish } = await begin(scope, key)
      await abort(scope, listed)
      equal(await unfinished(scope, { prefix: key }), [], 'uploads after the abort')
      await fails(finish, ENDED, 'an upload that was aborted from outside')
      equal(await unfinished(scope, { prefix: key }), [], 'uploads after the upload has failed')
      await scope.holdsBytes(key, 'as it was')
    },
  },
  {
    id: 'unfinished/abort-twice',
    title: 'aborting an upload again, or one that has been stored, is no error and touches nothing',
    covers: [],
    needs: ['writable', 'unfinishedUploads'],
    async run(outer) {
      const scope = await inParts(outer)
      const [aborted, stored] = [scope.key('aborted.bin'), scope.key('stored.bin')]
      const first = await begin(scope, aborted)
      const second = await begin(scope, stored)
      await abort(scope, first.listed)
      await fails(first.finish, ENDED, 'the upload that was aborted')
      await second.finish()
      await scope.files.abortUpload(stored, second.listed.uploadId)
      await scope.holdsBytes(stored, second.bytes)
      equal(await scope.names(), ['stored.bin'], 'names')
    },
  },
  {
    id: 'unfinished/prefix',
    title: 'only uploads under the prefix and behind startAfter are listed',
    covers: [],
    needs: ['writable', 'unfinishedUploads'],
    async run(outer) {
      const scope = await inParts(outer)
      const [one, two] = [scope.key('one.bin'), scope.key('two.bin')]
      const first = await begin(scope, one)
      const second = await begin(scope, two)
      // A whole key, since some servers list nothing else.
      for (const { listed } of [first, second]) {
        const found = await unfinished(scope, { prefix: listed.key })
        equal(found.map(idOf), [idOf(listed)], `uploads under ${listed.key}`)
      }
      equal(await unfinished(scope, { prefix: one, startAfter: one }), [], 'uploads behind the only one')
      await first.finish()
      await second.finish()
    },
  },
  {
    id: 'unfinished/bad-arguments-are-refused',
    title: 'a prefix, a place to start after and an id that are none are refused',
    covers: [],
    needs: ['writable', 'unfinishedUploads'],
    async run(scope) {
      for (const options of [{ prefix: 5 }, { startAfter: 5 }, { startAfter: '\ud800' }])
        await fails(
          () => unfinished(scope, options as UnfinishedUploadsOptions),
          'invalid-argument',
          `unfinishedUploads(${JSON.stringify(options)})`,
        )
      for (const uploadId of [undefined, '', 7])
        await fails(
          () => scope.files.abortUpload(scope.key('x'), uploadId as string),
          'invalid-argument',
          `abortUpload with the id ${uploadId}`,
        )
    },
  },
]
