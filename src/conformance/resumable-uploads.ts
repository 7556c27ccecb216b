import type { ResumableUploadOptions, UploadedPart } from '../core/resumable-upload.ts'
import { equal, fails, ok } from './assertions.ts'
import { pattern } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { inParts, partSizes } from './multipart.ts'
import { areWhole, failInTheMiddle, Notes, sourceOf, TYPE } from './resumable-steps.ts'

export const RESUMABLE_UPLOAD_CASES: readonly ConformanceCase[] = [
  {
    id: 'resumable/whole',
    title:
      'resumable uploads of nothing, a byte, and around one and three parts are stored whole, each part told once',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(outer) {
      const part = partSizes(outer)[0]!
      const scope = await inParts(outer)
      for (const size of [0, 1, part, part + 1, part * 3, part * 3 + 1000]) {
        const key = scope.key(`${size}.bin`)
        const bytes = pattern(size)
        const notes = new Notes()
        const loaded: number[] = []
        const info = await scope.files.uploadResumable(key, sourceOf(bytes), {
          ...TYPE,
          ...notes.listeners,
          partBytes: part,
          onProgress: progress => void loaded.push(progress.loaded),
        })
        equal([info.key, info.size], [key, size], 'key and size returned')
        await scope.holdsBytes(key, bytes)
        areWhole(notes.parts, bytes)
        equal(loaded.at(-1) ?? 0, size, 'bytes loaded in the end')
        await scope.remove(key)
      }
    },
  },
  {
    id: 'resumable/attributes',
    title: 'a resumable upload keeps type, metadata and headers as an upload does',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(outer) {
      const scope = await inParts(outer)
      const part = partSizes(outer)[0]!
      const { metadata, cacheControl } = scope.capabilities
      const key = scope.key('attributes.bin')
      await scope.files.uploadResumable(key, sourceOf(pattern(part + 1)), {
        contentType: 'video/x-kit',
        partBytes: part,
        ...(metadata ? { metadata: { Camera: 'Ünïcode' } } : {}),
        ...(cacheControl ? { cacheControl: 'public, max-age=60' } : {}),
      })
      const info = await scope.files.info(key)
      equal(info.contentType, 'video/x-kit', 'contentType')
      if (metadata) equal(info.metadata ?? {}, { camera: 'Ünïcode' }, 'metadata')
      if (cacheControl) equal(info.cacheControl, 'public, max-age=60', 'cacheControl')
    },
  },
  {
    id: 'resumable/goes-on',
    title:
      'an upload that failed leaves the object as it was, and another process sends only what is missing',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(outer) {
      const scope = await inParts(outer)
      const key = scope.key('goes-on.bin')
      const { bytes, notes, options } = await failInTheMiddle(scope, key)
      const known = notes.resume
      ok(known.parts.length > 0, 'no part was told')
      const rest = sourceOf(bytes)
      const other = await scope.another()
      await other.uploadResumable(key, rest, { ...options, resume: known })
      await scope.holdsBytes(key, bytes)
      equal(notes.tokens, 1, 'tokens told')
      areWhole(notes.parts, bytes)
      for (const { start, end } of known.parts)
        ok(
          !rest.reads.some(read => read.start < end && read.end > start),
          `bytes ${start} to ${end} are read again`,
        )
    },
  },
  {
    id: 'resumable/aborted',
    title: 'an upload that is aborted ends as aborted, leaves the object as it was, and goes on later',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(outer) {
      const scope = await inParts(outer)
      const part = partSizes(outer)[0]!
      const key = scope.key('aborted.bin')
      const bytes = pattern(part * 3)
      const notes = new Notes()
      await scope.put(key, 'as it was')
      const stop = new AbortController()
      const options = { ...TYPE, ...notes.listeners, partBytes: part, concurrency: 1 }
      const aborting = {
        ...options,
        signal: stop.signal,
        onPart: (told: UploadedPart) => {
          notes.parts.push(told)
          stop.abort()
        },
      }
      await fails(() => scope.files.uploadResumable(key, sourceOf(bytes), aborting), 'aborted', 'the upload')
      await scope.holdsBytes(key, 'as it was')
      await scope.files.uploadResumable(key, sourceOf(bytes), { ...options, resume: notes.resume })
      await scope.holdsBytes(key, bytes)
    },
  },
  {
    id: 'resumable/starts-anew',
    title:
      'a token of an upload that was stored, or was begun for another size or type, starts anew with a new token',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(outer) {
      const scope = await inParts(outer)
      const part = partSizes(outer)[0]!
      const changes: [string, Uint8Array, Partial<ResumableUploadOptions>][] = [
        ['size', pattern(part * 2 + 5, 2), {}],
        ['type', pattern(part * 3 + 1000, 2), { contentType: 'video/x-other' }],
      ]
      for (const [name, other, change] of changes) {
        const key = scope.key(`${name}.bin`)
        const { notes, options } = await failInTheMiddle(scope, key)
        const resume = notes.resume
        await scope.files.uploadResumable(key, sourceOf(other), { ...options, ...change, resume })
        equal(notes.tokens, 2, `tokens told after another ${name}`)
        areWhole(notes.parts, other)
        await scope.holdsBytes(key, other)
        const third = pattern(other.length, 3)
        const stored = { token: notes.resume.token, parts: [] }
        await scope.files.uploadResumable(key, sourceOf(third), { ...options, ...change, resume: stored })
        equal(notes.tokens, 3, 'tokens told after the upload was stored')
        await scope.holdsBytes(key, third)
      }
    },
  },
  {
    id: 'resumable/unconfirmed-parts-are-sent-again',
    title: 'of the parts given those are sent again that the store has not, or has otherwise',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(outer) {
      const scope = await inParts(outer)
      const key = scope.key('unconfirmed.bin')
      const { bytes, notes, options } = await failInTheMiddle(scope, key)
      const { token, parts } = notes.resume
      // Where parts have no names, the store's own count of bytes is all there is.
      if (parts.some(({ etag }) => etag === undefined)) return
      const wrong = parts.map(known => ({
        ...known,
        etag: known.etag!.replace(/^./, c => (c === '0' ? '1' : '0')),
      }))
      const last = { start: bytes.length - 1000, end: bytes.length, sha256: '0'.repeat(64), etag: 'a' }
      const rest = sourceOf(bytes)
      await scope.files.uploadResumable(key, rest, { ...options, resume: { token, parts: [...wrong, last] } })
      await scope.holdsBytes(key, bytes)
      const sent = rest.reads.reduce((sum, { start, end }) => sum + end - start, 0)
      equal(sent, bytes.length, 'bytes that were read')
    },
  },
  {
    id: 'resumable/completed-unheard',
    title: 'an upload that was completed by a call that nobody heard of is success, with the object as it is',
    covers: [],
    needs: ['writable', 'resumableUpload'],
    async run(outer) {
      const scope = await inParts(outer)
      const key = scope.key('unheard.bin')
      const { bytes, notes, options } = await failInTheMiddle(scope, key)
      await scope.files.uploadResumable(key, sourceOf(bytes), { ...options, resume: notes.resume })
      const again = await scope.files.uploadResumable(key, sourceOf(bytes), {
        ...options,
        resume: notes.resume,
      })
      equal(again.size, bytes.length, 'size returned')
      await scope.holdsBytes(key, bytes)
    },
  },
  {
    id: 'resumable/leftovers',
    title: 'what failed is listed as unfinished where a token was told, and removed where none was asked for',
    covers: [],
    needs: ['writable', 'resumableUpload', 'unfinishedUploads'],
    async run(outer) {
      const scope = await inParts(outer)
      const key = scope.key('leftover.bin')
      const unfinished = async () => {
        const ids: string[] = []
        for await (const upload of scope.files.unfinishedUploads({ prefix: key })) ids.push(upload.uploadId)
        return ids
      }
      const part = partSizes(outer)[0]!
      const failing = sourceOf(pattern(part * 3), part)
      await fails(
        () => scope.files.uploadResumable(key, failing, TYPE),
        'aborted',
        'an upload without onToken',
      )
      equal(await unfinished(), [], 'unfinished uploads without onToken')
      const { bytes, notes, options } = await failInTheMiddle(scope, key)
      const [id, ...more] = await unfinished()
      ok(id !== undefined && more.length === 0, 'the upload that failed is not listed once')
      await scope.files.abortUpload(key, id)
      await scope.files.uploadResumable(key, sourceOf(bytes), { ...options, resume: notes.resume })
      equal(notes.tokens, 2, 'tokens told after the upload was aborted')
      await scope.holdsBytes(key, bytes)
      equal(await unfinished(), [], 'unfinished uploads in the end')
    },
  },
]
