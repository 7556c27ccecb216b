import { PassThrough, Readable } from 'node:stream'
import type { UploadBody } from '../core/body.ts'
import { equal, fails, ok, sameBytes } from './assertions.ts'
import { failingAfter, pattern, pausedBody, streamOf } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'

const HELLO = Buffer.from('Grüße aus dem Test\n')

/** The same bytes as every kind of body there is. */
function everyKind(bytes: Uint8Array): [string, () => UploadBody][] {
  const half = bytes.length >> 1
  return [
    ['a Uint8Array', () => bytes],
    ['a Buffer', () => Buffer.from(bytes)],
    ['an ArrayBuffer', () => Uint8Array.from(bytes).buffer],
    ['a DataView', () => new DataView(Uint8Array.from(bytes).buffer)],
    ['shared memory', () => sharedCopy(bytes)],
    ['a Blob', () => new Blob([Uint8Array.from(bytes)])],
    ['a web stream', () => new Blob([Uint8Array.from(bytes)]).stream() as ReadableStream<Uint8Array>],
    ['a Node stream', () => Readable.from([bytes.subarray(0, half), bytes.subarray(half)])],
    ['an async iterable', () => streamOf(bytes, 7)],
  ]
}

function sharedCopy(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}

/** Bodies that end without a byte. */
function everyEmptyKind(): [string, () => UploadBody][] {
  return [
    ...everyKind(new Uint8Array(0)),
    ['an empty string', () => ''],
    ['an async iterable of empty chunks', () => streamOfEmptyChunks()],
    ['a Node stream ended without a write', () => new PassThrough().end() as unknown as PassThrough],
    [
      'a web stream whose writer was closed without a write',
      () => {
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
        // Who refuses the body unread cancels it.
        writable
          .getWriter()
          .close()
          .catch(() => {})
        return readable
      },
    ],
  ]
}

async function* streamOfEmptyChunks() {
  yield new Uint8Array(0)
  yield ''
}

export const WRITE_CASES: readonly ConformanceCase[] = [
  {
    id: 'write/every-kind-of-body',
    title: 'strings, bytes, Blobs, Node and web streams and async iterables are stored byte for byte',
    covers: [39],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('body.txt')
      for (const [kind, body] of [...everyKind(HELLO), ['a string', () => HELLO.toString()] as const]) {
        const info = await scope.files.upload(key, body())
        equal(info.size, HELLO.length, `size of ${kind}`)
        sameBytes(await scope.bytes(key), HELLO, `object uploaded from ${kind}`)
        await scope.remove(key)
      }
    },
  },
  {
    id: 'write/empty',
    title: 'empty bodies of every kind, a writer closed without a write included, store an empty object',
    covers: [19, 20, 21],
    needs: ['writable'],
    async run(scope) {
      for (const [kind, body] of everyEmptyKind()) {
        const key = scope.key(`${kind}.bin`)
        const info = await scope.files.upload(key, body())
        equal(info.size, 0, `size of ${kind}`)
        await scope.holdsBytes(key, new Uint8Array(0))
      }
    },
  },
  {
    id: 'write/overwrite-replaces-everything',
    title: 'a second upload replaces content, type and metadata',
    covers: [22],
    needs: ['writable'],
    async run(scope) {
      const { files, capabilities } = scope
      const key = scope.key('twice.bin')
      const extra = {
        ...(capabilities.metadata ? { metadata: { first: 'yes' } } : {}),
        ...(capabilities.cacheControl ? { cacheControl: 'max-age=111' } : {}),
        ...(capabilities.contentLanguage ? { contentLanguage: 'de' } : {}),
      }
      await files.upload(key, 'the first and longer content', { contentType: 'text/x-first', ...extra })
      await files.upload(key, 'second', { contentType: 'text/x-second' })
      await scope.holdsBytes(key, 'second')
      const info = await files.info(key)
      equal(info.contentType, 'text/x-second', 'contentType')
      equal(info.metadata?.first, undefined, "metadata 'first' after an upload without metadata")
      ok(info.cacheControl !== 'max-age=111', 'cacheControl is still that of the first upload')
      ok(info.contentLanguage === undefined, 'contentLanguage is still that of the first upload')
    },
  },
  {
    id: 'write/returned-info-equals-info',
    title: 'size, type and etag that upload returns equal those of a following info and download',
    covers: [23],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('info.txt')
      for (const body of [HELLO, streamOf(HELLO)]) {
        const returned = await scope.files.upload(key, body)
        const info = await scope.files.info(key)
        equal([returned.key, returned.size], [key, HELLO.length], 'key and size returned')
        equal(info.size, HELLO.length, 'size of info')
        ok(info.etag && !info.etag.includes('"'), `etag is ${info.etag}, should be there and without quotes`)
        const { conditionalReplace, conditionalRead } = scope.capabilities
        if (conditionalReplace || conditionalRead || returned.etag !== undefined)
          equal(returned.etag, info.etag, 'etag returned')
        if (returned.contentType !== undefined) equal(returned.contentType, info.contentType, 'type returned')
        const download = await scope.files.download(key)
        equal([download.info.size, download.info.etag], [info.size, info.etag], 'size and etag of download')
        await download.bytes()
      }
    },
  },
  {
    id: 'write/etag-changes',
    title: 'the etag changes when other content of the same size is stored',
    covers: [23],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('etag.txt')
      const seen = new Set<string | undefined>()
      for (const body of ['aaaa', 'bbbb', 'cccc']) {
        await scope.files.upload(key, body)
        seen.add((await scope.files.info(key)).etag)
      }
      equal(seen.size, 3, 'number of etags of three contents')
    },
  },
  {
    id: 'write/progress',
    title: 'onProgress reports bytes that grow up to the size',
    covers: [],
    needs: ['writable'],
    async run(scope) {
      const bytes = pattern(300_000)
      for (const body of [bytes, streamOf(bytes)]) {
        const seen: number[] = []
        await scope.files.upload(scope.key('progress.bin'), body, {
          onProgress: ({ loaded }) => seen.push(loaded),
        })
        equal(seen.at(-1), bytes.length, 'last progress')
        equal(
          seen,
          [...seen].sort((a, b) => a - b),
          'progress',
        )
      }
    },
  },
  {
    id: 'write/visible-at-the-end-only',
    title: 'until an upload ends, a reader sees the old object or none, by download, info and list',
    covers: [35],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('pending.bin')
      for (const before of [undefined, 'old content']) {
        if (before !== undefined) await scope.put(key, before)
        const body = pausedBody(pattern(300_000), pattern(300_000, 2))
        const upload = scope.files.upload(key, body)
        await Promise.race([body.paused, upload])
        if (before === undefined) {
          await scope.isAbsent(key)
          equal(await scope.names(), [], 'keys while the first upload is under way')
        } else {
          await scope.holdsBytes(key, before)
        }
        body.resume()
        await upload
        await scope.holdsBytes(key, Buffer.concat([pattern(300_000), pattern(300_000, 2)]))
        await scope.remove(key)
      }
    },
  },
  {
    id: 'write/source-fails',
    title: 'a source that fails half-way stores nothing, and leaves what was there',
    covers: [36],
    needs: ['writable'],
    async run(scope) {
      for (const size of [10, 300_000]) {
        const key = scope.key(`fails-${size}.bin`)
        const upload = () => scope.files.upload(key, failingAfter(pattern(size)))
        await fails(upload, 'aborted', `a body that fails after ${size} bytes`)
        await scope.isAbsent(key)
        await scope.put(key, 'old')
        await fails(upload, 'aborted', `a body that fails after ${size} bytes, over an object,`)
        await scope.holdsBytes(key, 'old')
      }
    },
  },
]
