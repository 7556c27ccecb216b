import type { CallOptions, ImageOptions } from './image-options.ts'
import type { Imgproxy, imgproxy } from './imgproxy.ts'
import { PathParts } from './path-parts.ts'
import { type Edition, type ImgproxyOptions, type OptionsOf, settingsFrom } from './settings.ts'
import { sameText, signedPathOf } from './signed-path.ts'
import { checkedSource, encodedSource, splitBase64 } from './source.ts'
import { webEncrypter, webSigner } from './web-crypto.ts'

/** `Imgproxy` with promises: it signs with WebCrypto. Options are checked before the first promise, which they reject. */
export interface ImgproxyAsync<E extends Edition = 'open-source'>
  extends Pick<Imgproxy<E>, 'ttlSeconds' | 'ttlWindowSeconds'> {
  /** As `Imgproxy.url`. */
  url(source: string, options?: OptionsOf<E>): Promise<string>
  /** As `Imgproxy.preset`. Throws at once. */
  preset(options?: OptionsOf<E>): (source: string, call?: CallOptions) => Promise<string>
  /** As `Imgproxy.verify`. */
  verify(url: string): Promise<boolean>
}

/**
 * {@link imgproxy} for places that have WebCrypto and nothing of Node: browsers, workers, the edge. The same URLs.
 *
 * A page that signs holds the key, and so does everyone who opens it: in a browser this is for tools of your own.
 *
 * @throws `invalid-argument` for options that can't be meant
 * @example
 * ```ts
 * const images = imgproxyAsync({ url: 'https://img.example.org', key: '736563726574', salt: '68656c6c6f' })
 * const url = await images.url('s3://photos/a.jpg', { width: 400 })
 * ```
 */
export function imgproxyAsync<const E extends Edition = 'open-source'>(
  options: ImgproxyOptions<E>,
): ImgproxyAsync<E> {
  const settings = settingsFrom(options)
  const { endpoint, source: rules } = settings
  const signers = settings.pairs.map(pair => webSigner(pair, settings.signatureSize))
  const sign = signers.at(-1)!
  const encrypt = settings.encryptionKey === undefined ? undefined : webEncrypter(settings)

  async function finished(parts: PathParts, source: string, call?: CallOptions): Promise<string> {
    const checked = checkedSource(source, rules)
    const before = parts.before(checked, call)
    const encoded =
      encrypt === undefined ? encodedSource(checked, rules) : splitBase64(await encrypt(checked), rules)
    const path = before + encoded + parts.after
    return `${endpoint}/${await sign(path)}${path}`
  }

  return {
    async url(source, image) {
      return finished(new PathParts((image ?? {}) as ImageOptions, settings), source)
    },
    preset(image) {
      const parts = new PathParts((image ?? {}) as ImageOptions, settings)
      return (source, call) => finished(parts, source, call)
    },
    async verify(url) {
      const signed = signedPathOf(url, endpoint)
      if (signed === undefined) return false
      const expected = await Promise.all(signers.map(each => each(signed.path)))
      return expected.some(signature => sameText(signature, signed.signature))
    },
    ttlSeconds: settings.ttlSeconds,
    ttlWindowSeconds: settings.ttlWindowSeconds,
  }
}
