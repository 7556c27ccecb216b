import type { RangeSource } from '../core/resumable-upload.ts'
import { ConformanceError, fails } from './assertions.ts'
import { pattern, streamOf } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { inParts, partSizes } from './multipart.ts'
import { Notes, sourceOf, TYPE } from './resumable-steps.ts'

export const RESUMABLE_REFUSAL_CASES: readonly ConformanceCase[] = [
  {
    id: 'resumable/create-only',
    title: 'with ifNoneMatch, what is there stays and nothing is left behind',
    covers: [],
    needs: ['writable', 'resumableUpload', 'createOnly'],
    async run(outer) {
      const scope = await inParts(outer)
      const part = partSizes(outer)[0]!
      const key = scope.key('taken.bin')
      const create = { ...TYPE, ...new Notes().listeners, partBytes: part, ifNoneMatch: '*' as const }
      for (const size of [10, part * 2]) {
        await scope.put(key, 'as it was')
        const upload = () => scope.files.uploadResumable(key, sourceOf(pattern(size)), create)
        await fails(upload, 'already-exists', `a resumable upload of ${size} bytes onto an object`)
        await scope.holdsBytes(key, 'as it was')
        if (scope.capabilities.unfinishedUploads)
          for await (const { uploadId } of scope.files.unfinishedUploads({ prefix: key }))
            throw new ConformanceError(`the refused upload is left behind as ${uploadId}`)
        await scope.remove(key)
        await upload()
        await scope.holdsBytes(key, pattern(size))
      }
    },
  },
  {
    id: 'resumable/replace',
    title: 'with ifMatch, only that object is replaced',
    covers: [],
    needs: ['writable', 'resumableUpload', 'conditionalReplace'],
    async run(outer) {
      const scope = await inParts(outer)
      const part = partSizes(outer)[0]!
      const key = scope.key('replaced.bin')
      for (const size of [10, part * 2]) {
        await scope.put(key, 'first')
        const stale = (await scope.files.info(key)).etag!
        await scope.put(key, 'second')
        const current = (await scope.files.info(key)).etag!
        const upload = (ifMatch: string) =>
          scope.files.uploadResumable(key, sourceOf(pattern(size)), { ...TYPE, partBytes: part, ifMatch })
        await fails(() => upload(stale), 'precondition-failed', 'a resumable upload over another etag')
        await scope.holdsBytes(key, 'second')
        await upload(current)
        await scope.holdsBytes(key, pattern(size))
      }
    },
  },
  {
    id: 'resumable/wrong-lengths-are-refused',
    title:
      'a source that gives more or fewer bytes than it was asked for is refused, and the object stays as it was',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(outer) {
      const scope = await inParts(outer)
      const part = partSizes(outer)[0]!
      const key = scope.key('length.bin')
      await scope.put(key, 'as it was')
      for (const size of [10, part * 2])
        for (const change of [1, -1]) {
          const wrong: RangeSource = {
            size,
            read: async (start, end) => {
              const bytes = pattern(end - start + change)
              return change > 0 ? bytes : streamOf(bytes)
            },
          }
          const upload = () => scope.files.uploadResumable(key, wrong, { ...TYPE, partBytes: part })
          await fails(upload, 'invalid-argument', `a source of ${size} bytes that gives ${change}`)
          await scope.holdsBytes(key, 'as it was')
        }
    },
  },
  {
    id: 'resumable/listeners-that-fail',
    title: 'an onToken or onPart that fails ends the upload as aborted, with the object as it was',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(outer) {
      const scope = await inParts(outer)
      const part = partSizes(outer)[0]!
      const key = scope.key('listeners.bin')
      await scope.put(key, 'as it was')
      const fail = async () => {
        throw new Error('the disk is full')
      }
      for (const listener of [{ onToken: fail }, { onToken: () => {}, onPart: fail }]) {
        const options = { ...TYPE, ...listener, partBytes: part }
        const upload = () => scope.files.uploadResumable(key, sourceOf(pattern(part * 2)), options)
        await fails(upload, 'aborted', `an upload whose ${Object.keys(listener).at(-1)} fails`)
        await scope.holdsBytes(key, 'as it was')
      }
    },
  },
  {
    id: 'resumable/bad-arguments-are-refused',
    title: 'sources and options that are none are refused, and nothing is stored',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(scope) {
      const key = scope.key('bad.bin')
      const source = sourceOf(pattern(10))
      for (const wrong of [
        undefined,
        null,
        7,
        {},
        { size: -1, read: source.read },
        { size: 1.5, read: source.read },
      ])
        await fails(
          () => scope.files.uploadResumable(key, wrong as RangeSource),
          'invalid-argument',
          `a source that is ${JSON.stringify(wrong)}`,
        )
      const parts = [{ start: 5, end: 1, sha256: '0'.repeat(64) }]
      for (const options of [
        { partBytes: 0 },
        { concurrency: 0.5 },
        { onToken: 7 },
        { onPart: 7 },
        { onProgress: 7 },
        { resume: null },
        { resume: { token: '', parts: [] } },
        { resume: { token: 'of another store', parts: [] } },
        { resume: { token: 'of-another-store', parts: [] } },
        { resume: { token: 'x', parts } },
      ] as never[])
        await fails(
          () => scope.files.uploadResumable(key, source, options),
          'invalid-argument',
          `uploadResumable with ${JSON.stringify(options)}`,
        )
      await scope.isAbsent(key)
    },
  },
]
