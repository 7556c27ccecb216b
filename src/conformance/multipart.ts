import type { StorageProvider } from '../core/provider.ts'
import { equal, fails, ok, sameBytes } from './assertions.ts'
import { atOnce, pattern, pausedBody, streamOf } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'

const DEFAULT_PART_SIZES = [5 * 2 ** 20, 6 * 2 ** 20]

export function partSizes(scope: Scope): readonly number[] {
  return scope.context.partSizesBytes ?? DEFAULT_PART_SIZES
}

/** The provider made to upload in parts of `partSizeBytes`. Of an adapter that has no parts, as it is. */
export function inParts(scope: Scope, partSizeBytes = partSizes(scope)[0]!): Promise<Scope> {
  return scope.with({ partSizeBytes, multipartThresholdBytes: partSizeBytes })
}

/** An upload that is aborted, twice, when it has taken so many bytes. */
async function abortAfter(files: StorageProvider, key: string, bytes: number): Promise<void> {
  const controller = new AbortController()
  const body = pausedBody(pattern(bytes), pattern(1000))
  const upload = files.upload(key, body, { signal: controller.signal })
  const failed = fails(() => upload, 'aborted', `an upload in parts aborted after ${bytes} bytes`)
  await Promise.race([body.paused, failed])
  controller.abort()
  controller.abort()
  await failed
  body.resume()
}

export const MULTIPART_CASES: readonly ConformanceCase[] = [
  {
    id: 'write/around-part-sizes',
    title:
      'bodies of part−1, part, part+1, 2·part and 2·part+1 bytes are stored whole, for several part sizes',
    covers: [40],
    needs: ['writable'],
    async run(outer) {
      for (const part of partSizes(outer)) {
        const scope = await inParts(outer, part)
        for (const size of [part - 1, part, part + 1, 2 * part, 2 * part + 1]) {
          const key = scope.key(`${part}-${size}.bin`)
          const bytes = pattern(size)
          equal((await scope.files.upload(key, streamOf(bytes, 1_000_003))).size, size, 'size returned')
          sameBytes(await scope.bytes(key), bytes, `a stream of ${size} bytes in parts of ${part}`)
          await scope.files.upload(key, bytes)
          sameBytes(await scope.bytes(key), bytes, `${size} bytes in parts of ${part}`)
          await scope.remove(key)
        }
      }
    },
  },
  {
    id: 'write/aborted-multipart',
    title:
      'an upload in parts aborted before and after a part, alone and beside others, leaves nothing visible',
    covers: [41],
    needs: ['writable'],
    async run(outer) {
      const scope = await inParts(outer)
      const part = partSizes(outer)[0]!
      await abortAfter(scope.files, scope.key('before.bin'), part >> 1)
      await abortAfter(scope.files, scope.key('after.bin'), part + (part >> 1))
      await Promise.all(
        [part >> 1, part + 1, part + (part >> 1)].map((bytes, n) =>
          abortAfter(scope.files, scope.key(`${n}.bin`), bytes),
        ),
      )
      equal(await scope.names(), [], 'keys')
    },
  },
  {
    id: 'write/abort-twice',
    title: 'aborting twice is harmless: the provider stores the next upload to the same key',
    covers: [42],
    needs: ['writable'],
    async run(outer) {
      const scope = await inParts(outer)
      const key = scope.key('again.bin')
      const bytes = pattern(partSizes(outer)[0]! + 10)
      await abortAfter(scope.files, key, bytes.length)
      await abortAfter(scope.files, key, bytes.length)
      await scope.files.upload(key, streamOf(bytes))
      await scope.holdsBytes(key, bytes)
    },
  },
  {
    id: 'write/aborted-multipart-leaves-no-parts',
    title: 'uploads that were aborted, failed or had a wrong checksum leave no parts and no temporary files',
    covers: [43],
    needs: ['writable', 'leftovers'],
    async run(outer) {
      const scope = await inParts(outer)
      const part = partSizes(outer)[0]!
      const bytes = pattern(part * 2)
      const keys = ['aborted.bin', 'wrong.bin', 'short.bin'].map(name => scope.key(name))
      const [aborted, wrong, short] = keys as [string, string, string]
      await abortAfter(scope.files, aborted, part + 1000)
      const checksum = { algorithm: 'sha256', value: '0'.repeat(64) } as const
      const sumIsWrong = () => scope.files.upload(wrong, streamOf(bytes), { checksum })
      await fails(sumIsWrong, 'checksum-mismatch', 'a wrong checksum of parts')
      const tooShort = () => scope.files.upload(short, streamOf(bytes), { size: bytes.length + 1 })
      await fails(tooShort, 'invalid-argument', 'parts of a body that is too short')
      equal([...(await scope.given('leftovers')(scope.files, keys))], [], 'what is left behind')
    },
  },
  {
    id: 'write/parts-out-of-order',
    title: 'parts that finish out of order are put together in order',
    covers: [44],
    needs: ['writable'],
    async run(outer) {
      const scope = await inParts(outer)
      const key = scope.key('order.bin')
      // The last part is one byte and overtakes the long ones before it.
      const bytes = pattern(partSizes(outer)[0]! * 3 + 1)
      for (const body of [bytes, streamOf(bytes, bytes.length)]) {
        await scope.files.upload(key, body)
        sameBytes(await scope.bytes(key), bytes, 'object of three long parts and a short one')
      }
    },
  },
  {
    id: 'write/empty-multipart',
    title: 'an empty stream stores an empty object also where streams are uploaded in parts',
    covers: [45],
    needs: ['writable'],
    async run(outer) {
      const scope = await inParts(outer)
      const key = scope.key('empty.bin')
      equal((await scope.files.upload(key, streamOf(new Uint8Array(0)))).size, 0, 'size returned')
      await scope.holdsBytes(key, new Uint8Array(0))
    },
  },
  {
    id: 'write/two-multiparts-one-winner',
    title: 'of two uploads in parts to one key, one is stored whole',
    covers: [46],
    needs: ['writable'],
    async run(outer) {
      const scope = await inParts(outer)
      await oneWholeWinner(scope, 2, partSizes(outer)[0]! + 100_000)
    },
  },
  {
    id: 'write/20-keys-at-once',
    title: '20 uploads to 20 keys at once are all stored',
    covers: [47],
    needs: ['writable'],
    async run(scope) {
      const keys = Array.from({ length: 20 }, (_, n) => scope.key(`parallel/${n}.bin`))
      await Promise.all(keys.map((key, n) => scope.files.upload(key, streamOf(pattern(50_000 + n, n + 1)))))
      await atOnce(keys, (key, n) => scope.holdsBytes(key, pattern(50_000 + n, n + 1)))
    },
  },
  {
    id: 'write/one-key-at-once',
    title: 'of parallel uploads to one key, one is stored whole, with its own attributes',
    covers: [48],
    needs: ['writable'],
    async run(scope) {
      for (const size of [100, 300_000]) await oneWholeWinner(scope, 10, size)
    },
  },
  {
    id: 'write/full-disk',
    title: 'a store without room fails the upload, keeps no partial object, and goes on working',
    covers: [49],
    needs: ['writable', 'createFull'],
    async run(outer) {
      const scope = await outer.host('createFull')
      const key = scope.key('large.bin')
      const before = scope.key('before.txt')
      await scope.put(before, 'before')
      const upload = () => scope.files.upload(key, sixtyFourMebibytes())
      const error = await fails(upload, ['unavailable', 'too-large'], 'an upload to a store without room')
      equal(error.retryable, false, 'error.retryable')
      await scope.isAbsent(key)
      await fails(
        () => scope.files.upload(before, sixtyFourMebibytes()),
        ['unavailable', 'too-large'],
        'over an object',
      )
      await scope.holdsBytes(before, 'before')
      await scope.put(key, pattern(100_000))
      await scope.holdsBytes(key, pattern(100_000))
    },
  },
]

async function oneWholeWinner(scope: Scope, uploads: number, size: number): Promise<void> {
  const key = scope.key('winner.bin')
  const bodies = Array.from({ length: uploads }, (_, n) => pattern(size + n, n + 1))
  await Promise.all(
    bodies.map((bytes, n) => scope.files.upload(key, streamOf(bytes), { contentType: `text/x-${n}` })),
  )
  const stored = await scope.bytes(key)
  const winner = bodies.findIndex(bytes => Buffer.compare(bytes, stored) === 0)
  ok(winner >= 0, `the object of ${stored.length} bytes is none of the ${uploads} that were uploaded`)
  const info = await scope.files.info(key)
  equal([info.size, info.contentType], [size + winner, `text/x-${winner}`], 'size and type of the winner')
}

async function* sixtyFourMebibytes() {
  const chunk = pattern(2 ** 20)
  for (let n = 0; n < 64; n++) yield chunk
}
