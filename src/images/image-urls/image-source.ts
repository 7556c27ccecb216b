import type { Capabilities } from '../../core/capabilities.ts'
import { StorageError } from '../../core/errors.ts'
import { encodeKey } from '../../core/keys.ts'
import type { SignedImage } from './signed-images.ts'

/**
 * Where imgproxy gets an image from.
 *
 * - `'signed-url'`: the original's signed URL, over HTTP.
 * - `'s3://photos/'`, `'local:///'`, `'gs://…/'`, `'https://…/'`: this and the key, by imgproxy's own credentials. Where the
 *   provider is behind `prefix()`, its root belongs to this text: `'s3://photos/tenant/'`.
 * - a function of the image, which gives what imgproxy's builder takes.
 */
export type ImageSource = 'signed-url' | `${string}://${string}` | ((image: SignedImage) => string)

const BASE = /^(?:https?|s3|gs|abs|swift|local):\/\/[^?#]*\/$/

/** @throws `invalid-argument` for a source that can't be meant with this provider */
export function sourceReader(
  source: ImageSource,
  { layers }: Capabilities,
  knowsPhysicalKeys: boolean,
): (image: SignedImage) => string {
  if (source === 'signed-url') return image => image.signedUrl.url
  if (layers.includes('records') && !knowsPhysicalKeys)
    throw refused(
      `${layers[0]} around withRecords hides where the bytes are: give imageUrls what withRecords returned, or take source: 'signed-url'`,
    )
  if (typeof source === 'function') return source
  if (typeof source !== 'string' || !BASE.test(source))
    throw refused(
      "source must be 'signed-url', a function, or an address that ends in a slash: s3://bucket/, local:///, https://host/path/",
    )
  if (layers.includes('prefix') && /^(?:s3|gs|abs|swift):\/\/[^/]*\/$/.test(source))
    throw refused(
      `behind prefix() every key in the bucket begins with its root, which belongs to the source: ${source}root/`,
    )
  if (/^https?:/.test(source)) return image => source + encodeKey(image.physicalKey)
  return image => source + image.physicalKey
}

function refused(problem: string): StorageError {
  return new StorageError('invalid-argument', `imageUrls: ${problem}`)
}
