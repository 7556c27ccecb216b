/** Builders and photos for tests of URL sets, and imgproxy's URLs taken apart. */
import { type Imgproxy, type ImgproxyOptions, imgproxy } from '../../../src/images/imgproxy/index.ts'

export const BLURHASH = 'LEHV6nWB2yk8pyo0adR*.7kCMdnj'

/** What an upload of a photo has, once it was looked at. */
export const PHOTO = {
  contentType: 'image/jpeg',
  metadata: { width: '640', height: '480', blurhash: BLURHASH },
} as const

/** imgproxy reads the bucket by itself: nothing about the images changes with time. */
export const stableUrls = { source: 's3://photos/' } as const

export function builder(options: Partial<ImgproxyOptions> = {}): Imgproxy {
  return imgproxy({ url: 'https://img.example.org', key: '736563726574', salt: '68656c6c6f', ...options })
}

export interface UrlParts {
  readonly source: string
  readonly format: string
  /** Segments but those of end and version. */
  readonly options: readonly string[]
  /** Seconds since 1970. */
  readonly expires: number | undefined
  readonly version: string | undefined
}

export function partsOf(url: string): UrlParts {
  const match =
    /^https:\/\/img\.example\.org\/[\w-]{43}(?<options>(?:\/[^/]+)*)\/plain\/(?<source>[^/]+)@(?<format>\w+)$/.exec(
      url,
    )
  if (match === null) throw new Error(`not of the form that is expected: ${url}`)
  const { options, source, format } = match.groups as Record<'options' | 'source' | 'format', string>
  const segments = options.split('/').slice(1)
  const valueIn = (name: string) =>
    segments.find(segment => segment.startsWith(`${name}:`))?.slice(name.length + 1)
  const expires = valueIn('exp')
  return {
    source: decodeURIComponent(source),
    format,
    options: segments.filter(segment => !/^(?:exp|cb):/.test(segment)),
    expires: expires === undefined ? undefined : Number(expires),
    version: valueIn('cb'),
  }
}
