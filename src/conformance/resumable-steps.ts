import { createHash } from 'node:crypto'
import type { RangeSource, ResumableUploadOptions, UploadedPart } from '../core/resumable-upload.ts'
import { ConformanceError, equal, fails, ok } from './assertions.ts'
import { pattern, streamOf } from './bodies.ts'
import { partSizes } from './multipart.ts'
import type { Scope } from './scope.ts'

export const TYPE = { contentType: 'application/octet-stream' }
const REASON = 'the source failed on purpose'

interface WatchedSource extends RangeSource {
  /** What was read, in order. */
  readonly reads: { readonly start: number; readonly end: number }[]
}

/** `bytes` by ranges, every other one as a stream; fails for what reaches beyond `failsBeyond`. */
export function sourceOf(bytes: Uint8Array, failsBeyond = bytes.length): WatchedSource {
  const reads: { start: number; end: number }[] = []
  return {
    size: bytes.length,
    reads,
    async read(start, end) {
      if (end > failsBeyond) throw new Error(REASON)
      reads.push({ start, end })
      const part = bytes.subarray(start, end)
      return reads.length % 2 === 0 ? part : streamOf(part, 100_003)
    },
  }
}

/** What a caller keeps of an upload, as a file or a database would. */
export class Notes {
  tokens = 0
  token: string | undefined
  parts: UploadedPart[] = []

  get listeners(): Pick<ResumableUploadOptions, 'onToken' | 'onPart'> {
    return {
      onToken: async token => {
        this.tokens++
        this.token = token
        this.parts = []
      },
      onPart: part => void this.parts.push(part),
    }
  }

  get resume() {
    const { token, parts } = this
    if (token === undefined)
      throw new ConformanceError('onToken was not called for an upload of several parts')
    return JSON.parse(JSON.stringify({ token, parts })) as { token: string; parts: UploadedPart[] }
  }
}

/** An upload of three parts and some bytes, over an object, whose source fails behind its first part. */
export async function failInTheMiddle(scope: Scope, key: string) {
  const part = partSizes(scope)[0]!
  const bytes = pattern(part * 3 + 1000)
  const notes = new Notes()
  const before = await scope.put(key, 'as it was')
  const options = { ...TYPE, ...notes.listeners, partBytes: part }
  const failing = sourceOf(bytes, part)
  const error = await fails(
    () => scope.files.uploadResumable(key, failing, options),
    'aborted',
    'an upload whose source fails',
  )
  ok(!error.message.includes(notes.resume.token), 'the message holds the token')
  await scope.holdsBytes(key, 'as it was')
  return { bytes, notes, options, before }
}

/** That `parts` are the whole source, each byte once, with the checksums of its bytes. */
export function areWhole(parts: readonly UploadedPart[], bytes: Uint8Array): void {
  let at = 0
  for (const { start, end, sha256 } of [...parts].sort((a, b) => a.start - b.start)) {
    equal(start, at, 'start of the next part')
    equal(sha256, createHash('sha256').update(bytes.subarray(start, end)).digest('hex'), 'sha256 of the part')
    at = end
  }
  equal(at, bytes.length, 'end of the last part')
}
