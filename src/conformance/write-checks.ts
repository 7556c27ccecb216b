import type { UploadBody } from '../core/body.ts'
import { COMPUTED_ALGORITHMS, digest } from '../core/checksum.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { UploadOptions } from '../core/options.ts'
import { equal, fails } from './assertions.ts'
import { pattern, pausedBody, streamOf } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'

/** Asserts that an upload fails, leaves nothing under a new key and the old bytes under one that exists. */
export async function refusesUpload(
  scope: Scope,
  what: string,
  code: ErrorCode,
  body: () => UploadBody,
  options: () => UploadOptions,
): Promise<void> {
  const fresh = scope.key('fresh.bin')
  await fails(() => scope.files.upload(fresh, body(), options()), code, what)
  await scope.isAbsent(fresh)
  const old = scope.key('old.bin')
  await scope.put(old, 'old bytes')
  await fails(() => scope.files.upload(old, body(), options()), code, `${what}, over an object,`)
  await scope.holdsBytes(old, 'old bytes')
  await scope.remove(old)
}

/** An upload that is aborted once it has taken `before` bytes. */
async function abortsAfter(scope: Scope, key: string, before: number, options: UploadOptions): Promise<void> {
  const controller = new AbortController()
  const body = pausedBody(pattern(before), pattern(100_000))
  const upload = scope.files.upload(key, body, { ...options, signal: controller.signal })
  const failed = fails(() => upload, 'aborted', `an upload aborted after ${before} bytes`)
  await Promise.race([body.paused, failed])
  controller.abort()
  controller.abort()
  await failed
  body.resume()
}

export const WRITE_CHECK_CASES: readonly ConformanceCase[] = [
  {
    id: 'write/checksum-right',
    title: 'a right checksum of each algorithm is accepted, of bytes and of streams',
    covers: [31],
    needs: ['writable'],
    async run(scope) {
      const bytes = pattern(100_000)
      for (const algorithm of COMPUTED_ALGORITHMS) {
        const value = digest(algorithm, bytes)
        for (const checksum of [
          { algorithm, value },
          { algorithm, value: value.toUpperCase() },
          algorithm,
        ] as const) {
          for (const body of [bytes, streamOf(bytes)]) {
            const key = scope.key(`${algorithm}.bin`)
            await scope.files.upload(key, body, { checksum })
            await scope.holdsBytes(key, bytes)
          }
        }
      }
    },
  },
  {
    id: 'write/checksum-wrong',
    title: 'a wrong checksum is refused as checksum-mismatch, and nothing is stored or lost',
    covers: [31, 32],
    needs: ['writable'],
    async run(scope) {
      const bytes = pattern(100_000)
      for (const algorithm of COMPUTED_ALGORITHMS) {
        const checksum = { algorithm, value: digest(algorithm, Buffer.from('other bytes')) }
        const options = () => ({ checksum })
        await refusesUpload(scope, `wrong ${algorithm} of bytes`, 'checksum-mismatch', () => bytes, options)
        await refusesUpload(
          scope,
          `wrong ${algorithm} of a stream`,
          'checksum-mismatch',
          () => streamOf(bytes),
          options,
        )
      }
    },
  },
  {
    id: 'write/checksum-malformed',
    title: 'a checksum that is none, or of an algorithm that is not computed, is refused as invalid-argument',
    covers: [31],
    needs: ['writable'],
    async run(scope) {
      for (const checksum of [
        { algorithm: 'sha256', value: 'abc' },
        { algorithm: 'md5', value: 'z'.repeat(32) },
        { algorithm: 'rot13', value: 'abc' },
        'rot13',
      ] as UploadOptions['checksum'][]) {
        const what = `checksum ${JSON.stringify(checksum)}`
        await refusesUpload(
          scope,
          what,
          'invalid-argument',
          () => 'body',
          () => ({ checksum }),
        )
      }
    },
  },
  {
    id: 'write/cancelled',
    title: 'an upload cancelled before the first byte, while its type is found, or later leaves nothing',
    covers: [33],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('cancelled')
      const signal = AbortSignal.abort()
      await fails(
        () => scope.files.upload(key, 'x', { signal }),
        'aborted',
        'an upload aborted before it began',
      )
      await scope.isAbsent(key)
      for (const before of [0, 5, 300_000]) {
        await abortsAfter(scope, key, before, {})
        await scope.isAbsent(key)
        await abortsAfter(scope, key, before, { contentType: 'text/plain' })
        await scope.isAbsent(key)
      }
    },
  },
  {
    id: 'write/cancelled-over-existing',
    title: 'an upload cancelled over an existing object leaves the old bytes',
    covers: [34],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('cancelled')
      await scope.put(key, 'old bytes')
      const signal = AbortSignal.abort()
      await fails(
        () => scope.files.upload(key, 'x', { signal }),
        'aborted',
        'an upload aborted before it began',
      )
      for (const before of [0, 5, 300_000]) await abortsAfter(scope, key, before, {})
      await scope.holdsBytes(key, 'old bytes')
    },
  },
  {
    id: 'write/timeout',
    title: 'an upload whose body stalls ends as timeout after timeoutMs and leaves nothing',
    covers: [37],
    needs: ['writable'],
    async run(scope) {
      const body = pausedBody(pattern(10), pattern(10))
      const key = scope.key('stalls.bin')
      await fails(() => scope.files.upload(key, body, { timeoutMs: 30 }), 'timeout', 'a body that stalls')
      body.resume()
      await scope.isAbsent(key)
    },
  },
  {
    id: 'write/shorter-than-declared',
    title: 'a body shorter than its size is refused as invalid-argument, and never waited for',
    covers: [37],
    needs: ['writable'],
    async run(scope) {
      for (const size of [1, 10, 200_000]) {
        const bytes = pattern(size - 1)
        await refusesSize(scope, bytes, size)
        const blob = new Blob([Uint8Array.from(bytes)])
        await refusesUpload(
          scope,
          `a Blob of ${bytes.length} bytes declared as ${size}`,
          'invalid-argument',
          () => blob,
          () => ({ size }),
        )
      }
    },
  },
  {
    id: 'write/longer-than-declared',
    title: 'a body longer than its size is refused as invalid-argument',
    covers: [38],
    needs: ['writable'],
    async run(scope) {
      for (const size of [0, 9, 200_000]) {
        const bytes = pattern(size + 1)
        await refusesSize(scope, bytes, size)
      }
    },
  },
  {
    id: 'write/unknown-length',
    title: 'a stream of unknown length is stored, as a new object and over one',
    covers: [39],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('unknown.bin')
      for (const seed of [1, 2]) {
        const bytes = pattern(700_001, seed)
        const info = await scope.files.upload(key, streamOf(bytes, 1_003))
        equal(info.size, bytes.length, 'size returned')
        await scope.holdsBytes(key, bytes)
      }
    },
  },
]

/** Bytes, and a stream of them, that are not as long as was declared. */
async function refusesSize(scope: Scope, bytes: Uint8Array, size: number): Promise<void> {
  const what = `${bytes.length} bytes declared as ${size}`
  const options = () => ({ size })
  await refusesUpload(scope, what, 'invalid-argument', () => bytes, options)
  await refusesUpload(scope, `a stream of ${what}`, 'invalid-argument', () => streamOf(bytes), options)
}
