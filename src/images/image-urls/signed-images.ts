import { asInput, keyBatches } from '../../core/batches.ts'
import type {
  KeyInput,
  KeyResult,
  ObjectInfo,
  OperationOptions,
  SignedUrl,
  SignedUrlOptions,
  StorageProvider,
} from '../../core/provider.ts'

/** One image, as the store or its record tells of it. */
export interface SignedImage {
  readonly key: string
  readonly info: ObjectInfo
  /** Where the store has the bytes: another key than `key` under records. */
  readonly physicalKey: string
  /** The original's URL. */
  readonly signedUrl: SignedUrl
}

/** Tells of many images and signs their URLs, a result or an error per key, in order. */
export type ReadSignedImages = (
  keys: KeyInput,
  operation: OperationOptions,
  expiresIn: number | undefined,
) => Promise<KeyResult<Omit<SignedImage, 'key'>>[]>

/** What `withRecords` has beside the contract: one query instead of two, and where the bytes are. */
interface RecordedImages {
  signedFiles(keys: KeyInput, options: SignedUrlOptions): ReturnType<ReadSignedImages>
}

/** Undefined where the provider is not what `withRecords` returned. */
export function readRecordedImages(provider: StorageProvider): ReadSignedImages | undefined {
  const { signedFiles } = provider as StorageProvider & Partial<RecordedImages>
  if (typeof signedFiles !== 'function') return undefined
  return (keys, operation, expiresIn) => signedFiles(keys, { ...operation, expiresIn })
}

/** What any provider tells and what it signs, side by side. */
export function readStoredImages(provider: StorageProvider): ReadSignedImages {
  return async (keys, operation, expiresIn) => {
    const all = await settledKeys(keys, provider.name)
    const [infos, urls] = await Promise.all([
      provider.infoMany(all, operation),
      provider.signedUrls(all, { ...operation, expiresIn }),
    ])
    return infos.map((info, at) => {
      const url = urls[at]!
      if (!info.ok) return info
      if (!url.ok) return url
      const { key, value } = info
      return { key, ok: true, value: { info: value, physicalKey: key, signedUrl: url.value } }
    })
  }
}

/** Keys that can be gone through twice. */
async function settledKeys(keys: KeyInput, provider: string): Promise<KeyInput & Iterable<unknown>> {
  const all: ReturnType<typeof asInput>[] = []
  for await (const batch of keyBatches(keys, Number.POSITIVE_INFINITY, 'imageUrls', provider))
    all.push(...batch.map(asInput))
  return all
}
