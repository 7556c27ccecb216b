import { assertProvider } from '../../core/assert-provider.ts'
import type { UploadBody } from '../../core/body.ts'
import { StorageError, unsupported } from '../../core/errors.ts'
import type { UploadOptions } from '../../core/options.ts'
import type { StorageProvider } from '../../core/provider.ts'
import { describeUpload } from './describe-upload.ts'
import { forwardAll } from './forward-all.ts'
import { type ImageMetadataOptions, imageMetadataSettings } from './image-metadata-options.ts'
import { type FinalizeAttributes, inspectImages } from './inspect-images.ts'

const LAYER = 'withImageMetadata'

/** What records have beyond the contract, as far as images are concerned. */
interface FilesWithRecords {
  prepareUpload(key: string, body: UploadBody, options?: UploadOptions): Promise<unknown>
  finalize(uploadId: string, options?: FinalizeAttributes): Promise<unknown>
  prepareFinalize(uploadId: string, options?: FinalizeAttributes): Promise<unknown>
  tenant(id: string): StorageProvider
}

/**
 * A provider that adds `width`, `height`, `blurhash`, `animated` and `alpha` to the metadata of images on their way in,
 * by their bytes; metadata that the caller gives wins. What is no image passes untouched, or is refused (`others`). Goes around all others, also
 * around `withRecords`, whose further methods it keeps: `finalize` describes what a browser has sent. Needs `sharp`.
 *
 * Streams: an image is read once, kept up to 1 MiB in memory and beyond that in a temporary file, which is gone in any
 * case, and sent on from there with its size known. Everything else streams through.
 *
 * @throws `invalid-argument` for what is no provider, keeps no metadata or adds this already, and for unknown options
 *
 * @example
 * ```ts
 * const files = withImageMetadata(withRecords(local({ root: './data' }), sqlite({ path: './records.db' })))
 * const info = await files.upload('a/photo.jpg', stream)
 * readImageMetadata(info) // { width: 4032, height: 3024, blurhash: 'LEHV6nWB2yk8pyo0adR*.7kCMdnj', … }
 * ```
 */
export function withImageMetadata<P extends StorageProvider>(
  provider: P,
  options: ImageMetadataOptions = {},
): P {
  assertProvider(LAYER, provider)
  const settings = imageMetadataSettings(options)
  assertPlace(provider)
  const records = provider as P & Partial<FilesWithRecords>
  const at = (operation: 'upload' | 'prepareUpload', key: string) => ({ operation, key, provider })

  const changes: Partial<StorageProvider> & Partial<FilesWithRecords> = {
    get capabilities() {
      const inner = provider.capabilities
      return { ...inner, layers: [LAYER, ...inner.layers], resumableUpload: false }
    },
    async probe(given) {
      await provider.probe(given)
      return outer.capabilities
    },
    async uploadResumable() {
      throw unsupported(
        'uploadResumable',
        provider.name,
        `${LAYER} would have to read the whole image first; use upload; nothing was done`,
      )
    },
    upload: (key, body, given) =>
      describeUpload(at('upload', key), settings, body, given, (sent, inside) =>
        provider.upload(key, sent, inside),
      ),
  }
  const { prepareUpload, finalize, prepareFinalize, tenant } = records
  if (prepareUpload !== undefined)
    changes.prepareUpload = (key, body, given) =>
      describeUpload(at('prepareUpload', key), settings, body, given, (sent, inside) =>
        records.prepareUpload!(key, sent, inside),
      )
  if (finalize !== undefined)
    changes.finalize = async (id, given) =>
      records.finalize!(id, inspectImages('finalize', provider.name, settings, given))
  if (prepareFinalize !== undefined)
    changes.prepareFinalize = async (id, given) =>
      records.prepareFinalize!(id, inspectImages('prepareFinalize', provider.name, settings, given))
  if (tenant !== undefined) changes.tenant = id => withImageMetadata(records.tenant!(id), options)
  const outer = forwardAll(provider, changes as Partial<P>)
  return outer
}

/** @throws `invalid-argument` where the layer must not stand around those below */
function assertPlace({ capabilities }: StorageProvider): void {
  if (!capabilities.metadata)
    throw new StorageError(
      'invalid-argument',
      `${LAYER}: this store keeps no metadata; put withRecords in between`,
    )
  if (capabilities.layers.includes(LAYER))
    throw new StorageError(
      'invalid-argument',
      `${LAYER}: there is one below already; each image would be decoded twice`,
    )
}
