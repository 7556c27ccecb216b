import { createHash } from 'node:crypto'
import { memory } from '../../src/adapters/memory.ts'
import { eitherSignal } from '../../src/core/deadline.ts'
import { defineProvider } from '../../src/core/define-provider.ts'
import type { Driver, PartBytes, ResumableRequest } from '../../src/core/driver.ts'
import { StorageError } from '../../src/core/errors.ts'
import type { ObjectInfo, StorageProvider, UnfinishedUpload } from '../../src/core/provider.ts'
import { unfinishedUploadsOf } from '../../src/core/unfinished-uploads.ts'
import { forward } from '../../src/decorators/forward.ts'

interface Begun {
  readonly key: string
  readonly print: string
  readonly partBytes: number
  readonly startedAt: Date
  readonly parts: Map<number, Pick<PartBytes, 'bytes' | 'sha256'>>
}

/**
 * Memory with `resumableUpload`, as S3 has it: parts side by side, named by an etag, kept until the upload is completed or
 * aborted. Tokens live as long as the provider. For tests that need no server.
 */
export function resumableMemory(
  options: { readonly partBytes?: number; readonly now?: () => number } = {},
): StorageProvider {
  const { partBytes = 4096, now = Date.now } = options
  const inner = memory({ now })
  const begun = new Map<string, Begun>()
  let ids = 0

  /** Only what `uploadResumable` asks of a driver. */
  const driver = {
    name: inner.name,
    location: inner.location,
    get capabilities() {
      return { ...inner.capabilities, resumableUpload: true, unfinishedUploads: true }
    },
    writeResumable,
    translate: () => undefined,
    close: async () => {},
  } as Partial<Driver> as Driver
  const resumable = defineProvider(driver)

  async function writeResumable(request: ResumableRequest): Promise<ObjectInfo> {
    const { key, source, attributes, resume, ifMatch, ifNoneMatch, signal } = request
    const put = (bytes: Uint8Array) =>
      inner.upload(key, bytes, {
        ...(attributes as object),
        ...(ifMatch === undefined ? {} : { ifMatch }),
        ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
        ...(signal === undefined ? {} : { signal }),
      })
    const print = JSON.stringify([key, source.size, attributes])
    const step = request.partBytes ?? partBytes
    let token = resume?.token
    if (token !== undefined && !token.startsWith('upload-'))
      throw new StorageError('invalid-argument', 'resume.token is none of this store')
    let upload = begun.get(token ?? '')
    if (token !== undefined && (upload === undefined || upload.print !== print)) {
      begun.delete(token)
      upload = undefined
    }
    if (upload === undefined && source.size <= step) {
      const whole = source.size === 0 ? undefined : await source.read(0, source.size, signal)
      const info = await put(Uint8Array.from(whole?.bytes ?? []))
      if (whole !== undefined) await request.stored({ start: 0, end: source.size, sha256: whole.sha256 })
      return info
    }
    let noted = upload !== undefined
    if (upload === undefined) {
      token = `upload-${++ids}`
      upload = { key, print, partBytes: step, startedAt: new Date(now()), parts: new Map() }
      begun.set(token, upload)
    }
    try {
      if (!noted) await request.begun?.(token!)
      noted = request.begun !== undefined
      await sendMissing(request, upload)
      const parts = [...upload.parts.entries()].sort(([a], [b]) => a - b).map(([, { bytes }]) => bytes)
      if (!begun.has(token!))
        throw new StorageError('conflict', 'the upload was ended by somebody else', { retryable: false })
      const info = await put(Buffer.concat(parts))
      begun.delete(token!)
      return info
    } catch (error) {
      const refused = ['already-exists', 'precondition-failed'].includes((error as StorageError).code)
      if (!noted || refused) begun.delete(token!)
      throw error
    }
  }

  return forward(inner, {
    get capabilities() {
      return driver.capabilities
    },
    uploadResumable: resumable.uploadResumable,
    unfinishedUploads(asked = {}) {
      const { prefix = '', startAfter = '', ...common } = asked
      if (typeof prefix !== 'string' || typeof startAfter !== 'string' || !startAfter.isWellFormed())
        throw new StorageError('invalid-argument', 'no text', { operation: 'unfinishedUploads' })
      return unfinishedUploadsOf(async function* () {
        await inner.infoMany([], common)
        yield [...begun.entries()]
          .map(([uploadId, { key, startedAt }]): UnfinishedUpload => ({ key, uploadId, startedAt }))
          .filter(({ key }) => key.startsWith(prefix) && key > startAfter)
      })
    },
    async abortUpload(key, uploadId, asked) {
      await inner.exists(key, asked)
      if (typeof uploadId !== 'string' || uploadId === '')
        throw new StorageError('invalid-argument', 'no id', { operation: 'abortUpload' })
      begun.delete(uploadId)
    },
    async close() {
      await resumable.close()
      await inner.close()
    },
  })
}

async function sendMissing(request: ResumableRequest, upload: Begun): Promise<void> {
  const { source, resume, concurrency = 4 } = request
  // One that its parts share and nobody else knows, as S3 has it.
  const signal = eitherSignal(request.signal, new AbortController().signal)
  const starts: number[] = []
  for (let start = 0; start < source.size; start += upload.partBytes) {
    const end = Math.min(source.size, start + upload.partBytes)
    const etag = resume?.parts.find(part => part.start === start && part.end === end)?.etag
    const stored = upload.parts.get(start)
    if (stored !== undefined && etag === etagOf(stored.bytes)) request.kept(end - start)
    else starts.push(start)
  }
  const left = starts.values()
  const failures: unknown[] = []
  const worker = async () => {
    for (const start of left) {
      if (failures.length > 0) return
      signal.throwIfAborted()
      const end = Math.min(source.size, start + upload.partBytes)
      const { bytes, sha256, release } = await source.read(start, end, signal)
      const kept = Uint8Array.from(bytes)
      release()
      upload.parts.set(start, { bytes: kept, sha256 })
      await request.stored({ start, end, sha256, etag: etagOf(kept) })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, () => worker().catch(error => failures.push(error))))
  if (failures.length > 0) throw failures[0]
}

function etagOf(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}
