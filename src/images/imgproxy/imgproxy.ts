import type { CallOptions, ImageOptions } from './image-options.ts'
import { nodeEncrypter, nodeSigner } from './node-crypto.ts'
import { PathParts } from './path-parts.ts'
import { type Edition, type ImgproxyOptions, type OptionsOf, settingsFrom } from './settings.ts'
import { sameText, signedPathOf } from './signed-path.ts'
import { checkedSource, encodedSource, splitBase64 } from './source.ts'

/** Builds the URLs of one imgproxy server. Sends nothing. */
export interface Imgproxy<E extends Edition = 'open-source'> {
  /**
   * The signed URL of an image. The same source and options give the same URL, in whatever order they are written.
   *
   * @param source a valid http or https URL; or `s3://bucket/key`, `gs://`, `abs://`, `swift://`, `local:///path` with
   * the key as it is, not escaped
   * @throws `invalid-argument` for a source or an option that the server would not take, or that must not be shown
   */
  url(source: string, options?: OptionsOf<E>): string
  /**
   * The same, prepared once for many images: checks the options now and costs hardly more than the signature later.
   *
   * @example
   * ```ts
   * const thumbnail = images.preset({ width: 400 })
   * const url = thumbnail('s3://photos/a.jpg', { cacheBuster: etag })
   * ```
   */
  preset(options?: OptionsOf<E>): (source: string, call?: CallOptions) => string
  /**
   * Whether a URL of this server, or the path of one, was signed with one of the keys. Says nothing of whether it has
   * ended, or would be answered. Compares in constant time.
   */
  verify(url: string): boolean
  /** As given: what URLs live at least, in seconds; undefined where they do not end. */
  readonly ttlSeconds: number | undefined
  /** How much longer they may live. */
  readonly ttlWindowSeconds: number | undefined
}

/**
 * Builds signed imgproxy URLs, checked before they are signed, with Node's crypto.
 *
 * Where there is only WebCrypto, `imgproxyAsync` does the same.
 *
 * Source: https://docs.imgproxy.net/usage/signing_url
 *
 * @throws `invalid-argument` for options that can't be meant, among them a key that is not hexadecimal; `unsupported`
 * where there is no node:crypto
 * @example
 * ```ts
 * const images = imgproxy({ url: 'https://img.example.org', key: '736563726574', salt: '68656c6c6f' })
 * const url = images.url('s3://photos/a.jpg', { resize: 'fill', width: 400, height: 300 })
 * ```
 */
export function imgproxy<const E extends Edition = 'open-source'>(options: ImgproxyOptions<E>): Imgproxy<E> {
  const settings = settingsFrom(options)
  const { endpoint, source: rules } = settings
  const signers = settings.pairs.map(pair => nodeSigner(pair, settings.signatureSize))
  const sign = signers.at(-1)!
  const encrypt = settings.encryptionKey === undefined ? undefined : nodeEncrypter(settings)

  const start = `${endpoint}/`
  const encoded =
    encrypt === undefined
      ? (source: string) => encodedSource(checkedSource(source, rules), rules)
      : (source: string) => splitBase64(encrypt(checkedSource(source, rules)), rules)

  function finished(parts: PathParts, source: string, call?: CallOptions): string {
    const end = encoded(source) + parts.after
    const path = parts.before(source, call) + end
    return `${start}${sign(path)}${path}`
  }

  return {
    url(source, image) {
      return finished(new PathParts((image ?? {}) as ImageOptions, settings), source)
    },
    preset(image) {
      const parts = new PathParts((image ?? {}) as ImageOptions, settings)
      return (source, call) => finished(parts, source, call)
    },
    verify(url) {
      const signed = signedPathOf(url, endpoint)
      return signed !== undefined && signers.some(each => sameText(each(signed.path), signed.signature))
    },
    ttlSeconds: settings.ttlSeconds,
    ttlWindowSeconds: settings.ttlWindowSeconds,
  }
}
