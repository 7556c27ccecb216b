import { assertProvider } from '../core/assert-provider.ts'
import type { SignedMethod } from '../core/capabilities.ts'
import { unsupported } from '../core/errors.ts'
import type { OperationName } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { addLayer } from './layer.ts'

const READS: readonly SignedMethod[] = ['GET', 'HEAD']

/**
 * A provider that can read and nothing else: whatever writes, signed PUT and DELETE URLs included, is refused as
 * `unsupported` before anything is sent.
 *
 * Streams: downloads pass through untouched; a body given to `upload` is not touched.
 *
 * @example
 * ```ts
 * const files = readOnly(local({ root: './data' }))
 * ```
 */
export function readOnly(inner: StorageProvider): StorageProvider {
  assertProvider('readOnly', inner)
  const refuse = (operation: OperationName) => async (): Promise<never> => {
    throw unsupported(operation, inner.name, 'this provider is read-only; nothing was done')
  }
  /** `signedUrl` and `signedUrls` refuse the same methods. */
  const assertReads = (operation: OperationName, method: unknown) => {
    if (method === 'PUT' || method === 'DELETE')
      throw unsupported(operation, inner.name, `this provider is read-only and signs no ${method}`)
  }
  return addLayer(
    inner,
    'readOnly',
    {
      upload: refuse('upload'),
      uploadResumable: refuse('uploadResumable'),
      copy: refuse('copy'),
      move: refuse('move'),
      delete: refuse('delete'),
      deleteMany: refuse('deleteMany'),
      signedUpload: refuse('signedUpload'),
      abortUpload: refuse('abortUpload'),
      async signedUrl(key, options) {
        assertReads('signedUrl', options?.method)
        return inner.signedUrl(key, options)
      },
      async signedUrls(keys, options) {
        assertReads('signedUrls', options?.method)
        return inner.signedUrls(keys, options)
      },
      async probe(options = {}) {
        if (inner.capabilities.conditionalRead === 'unknown')
          return inner.probe({ ...options, only: ['conditionalRead'] })
        // All else is declared false here, and finding it out may write: only the arguments are checked.
        const { only: _, ...asked } = options
        await inner.infoMany([], asked)
        return inner.capabilities
      },
    },
    capabilities => ({
      ...capabilities,
      writable: false,
      createOnly: false,
      conditionalReplace: false,
      conditionalCopySource: false,
      createOnlyCopy: false,
      conditionalDelete: false,
      versionedDelete: false,
      resumableUpload: false,
      signedUpload: false,
      signedUrl: capabilities.signedUrl && {
        ...capabilities.signedUrl,
        methods: capabilities.signedUrl.methods.filter(method => READS.includes(method)),
      },
    }),
  )
}
