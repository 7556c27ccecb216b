import type { UploadedPart } from '../../../src/core/provider.ts'
import { resumableMemory } from '../../support/resumable-memory.ts'
import { lying, type Mutant, wrong } from './mutant.ts'
import { wrongly } from './richer-memory.ts'

const sound = () => resumableMemory()

export const RESUMABLE_MUTANTS: readonly Mutant[] = [
  lying('claims resumable uploads', ['resumable/whole', 'resumable/goes-on'], { resumableUpload: true }),
  wrong('uploads resumably without saying so', ['calls/missing-capabilities-are-refused'], inner => ({
    uploadResumable: async (key, source) =>
      inner.upload(key, (await source.read(0, source.size, undefined)) as Uint8Array),
  })),
  wrongly(sound, 'begins anew each time', ['resumable/goes-on'], inner => ({
    uploadResumable: (key, source, { resume: _, ...options } = {}) =>
      inner.uploadResumable(key, source, options),
  })),
  wrongly(
    sound,
    'trusts every part that it is given',
    ['resumable/unconfirmed-parts-are-sent-again'],
    inner => {
      const told = new Map<number, UploadedPart>()
      return {
        uploadResumable(key, source, options = {}) {
          const { resume, onPart } = options
          return inner.uploadResumable(key, source, {
            ...options,
            ...(resume && {
              resume: { ...resume, parts: resume.parts.map(part => told.get(part.start) ?? part) },
            }),
            onPart(part) {
              told.set(part.start, part)
              return onPart?.(part)
            },
          })
        },
      }
    },
  ),
  wrongly(sound, 'stores what has arrived when a source fails', ['resumable/goes-on'], inner => ({
    uploadResumable: (key, source, options) =>
      inner.uploadResumable(key, source, options).catch(async error => {
        await inner.upload(key, 'a part')
        throw error
      }),
  })),
  wrongly(sound, 'removes what failed though a token was told', ['resumable/leftovers'], inner => ({
    uploadResumable: (key, source, options) =>
      inner.uploadResumable(key, source, options).catch(async error => {
        for await (const { uploadId } of inner.unfinishedUploads({ prefix: key }))
          await inner.abortUpload(key, uploadId)
        throw error
      }),
  })),
  wrongly(sound, 'leaves what nobody can go on with', ['resumable/leftovers'], inner => ({
    uploadResumable: (key, source, options) =>
      inner.uploadResumable(key, source, { ...options, onToken: options?.onToken ?? (() => {}) }),
  })),
  wrongly(sound, 'tells no part', ['resumable/whole', 'resumable/goes-on'], inner => ({
    uploadResumable: (key, source, { onPart: _, ...options } = {}) =>
      inner.uploadResumable(key, source, options),
  })),
  wrongly(sound, 'drops attributes', ['resumable/attributes'], inner => ({
    uploadResumable: (key, source, { contentType: _, metadata: __, ...options } = {}) =>
      inner.uploadResumable(key, source, options),
  })),
  wrongly(sound, 'ignores conditions', ['resumable/create-only', 'resumable/replace'], inner => ({
    uploadResumable: (key, source, { ifMatch: _, ifNoneMatch: __, ...options } = {}) =>
      inner.uploadResumable(key, source, options),
  })),
  wrongly(sound, 'ignores listeners that fail', ['resumable/listeners-that-fail'], inner => ({
    uploadResumable: (key, source, options) =>
      inner.uploadResumable(key, source, {
        ...options,
        onToken: async token => void (await (async () => options?.onToken?.(token))().catch(() => {})),
        onPart: async part => void (await (async () => options?.onPart?.(part))().catch(() => {})),
      }),
  })),
  wrongly(sound, 'pads what a source leaves out', ['resumable/wrong-lengths-are-refused'], inner => ({
    uploadResumable: (key, source, options) =>
      inner.uploadResumable(
        key,
        { size: source.size, read: async (start, end) => new Uint8Array(end - start) },
        options,
      ),
  })),
  wrongly(sound, 'takes any token', ['resumable/bad-arguments-are-refused'], inner => ({
    uploadResumable: (key, source, { resume: _, ...options } = {}) =>
      inner.uploadResumable(key, source, options),
  })),
  wrongly(sound, 'takes a token for whatever it was begun with', ['resumable/starts-anew'], inner => {
    const tokens = new Map<string, string>()
    return {
      async uploadResumable(key, source, options = {}) {
        if (tokens.has(key)) return inner.info(key)
        return inner.uploadResumable(key, source, {
          ...options,
          onToken(token) {
            tokens.set(key, token)
            return options.onToken?.(token)
          },
        })
      },
    }
  }),
  wrongly(sound, 'ends an abort as it likes', ['resumable/aborted'], inner => ({
    uploadResumable: (key, source, { signal: _, ...options } = {}) =>
      inner.uploadResumable(key, source, options),
  })),
  wrongly(sound, 'fails for an upload that was completed', ['resumable/completed-unheard'], inner => {
    const done = new Set<string>()
    return {
      async uploadResumable(key, source, options) {
        if (done.has(options?.resume?.token ?? '')) await inner.info(`${key}-gone`)
        const info = await inner.uploadResumable(key, source, options)
        if (options?.resume !== undefined) done.add(options.resume.token)
        return info
      },
    }
  }),
]
