/** Answers of a real imgproxy 4, recorded: `test/fixtures/imgproxy/vectors.json`. */
import { readFileSync } from 'node:fs'
import type { ImageOptions, ImgproxyOptions } from '../../../src/images/imgproxy/index.ts'

export interface Vector {
  readonly name: string
  readonly key: string
  readonly salt: string
  readonly signatureSize?: number
  readonly sourceUrl: string
  readonly sourceAs?: string
  /** In the recorder's own names, arguments as they stand in the URL. */
  readonly options: Readonly<Record<string, unknown>> | null
  readonly path: string
  readonly signedPath: string
  readonly status: number | null
  readonly contentType: string | null
  readonly width: number | null
  readonly height: number | null
  /** How that server was set up, where it was another than usual. */
  readonly server?: string
  readonly method?: string
}

export const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../../fixtures/imgproxy/vectors.json', import.meta.url), 'utf8'),
)

export const ENDPOINT = 'https://img.example.org'
/** The key of imgproxy's documents, with which the encrypted source was made, and the IV it begins with. */
const ENCRYPTION = {
  key: '1eb5b0e971ad7f45324c1bb15c947cb207c43152fa5c6c7f35c4f36e0c18e0f1',
  iv: () => new Uint8Array(16).fill(7),
}

/** The builder that a vector is for. Typed for Pro, of which one vector has need. */
export function builderOf(vector: Vector): ImgproxyOptions<'pro'> {
  const { key, salt, signatureSize, sourceAs = 'plain', server = '' } = vector
  const common = { url: ENDPOINT, key, salt, signatureSize }
  if (sourceAs === 'encrypted')
    return { ...common, edition: 'pro', sourceEncoding: 'encrypted', encryption: ENCRYPTION }
  return {
    ...common,
    ...(sourceAs === 'base64-split16' ? { base64SplitSize: 16 } : {}),
    ...(sourceAs === 'base64-std-padded' ? { base64Padding: true } : {}),
    sourceEncoding: (/^base64-/.test(sourceAs) ? 'base64' : sourceAs) as 'plain',
    allowSignedSource: /X-Amz-Signature/.test(vector.sourceUrl),
    ...(server.startsWith('IMGPROXY_ONLY_PRESETS') ? { onlyPresets: true } : {}),
    ...(server.startsWith('IMGPROXY_SOURCE_URL_QUERY_SEPARATOR') ? { sourceQuerySeparator: '' } : {}),
    ...(server.startsWith('BASE_URL') ? { sourceBaseUrl: 'http://127.0.0.1:9922/' } : {}),
  }
}

const COMPASS = { nowe: 'north-west', soea: 'south-east' } as const
const GRAVITIES: Readonly<Record<string, ImageOptions['gravity']>> = {
  'fp:0.25:0.75': { focusX: 0.25, focusY: 0.75 },
}
const CROPS: Readonly<Record<string, ImageOptions['crop']>> = {
  '200:100:nowe': { width: 200, height: 100, gravity: COMPASS.nowe },
}
const WATERMARKS: Readonly<Record<string, ImageOptions['watermark']>> = {
  '0.5:soea:10:10:0.2': { opacity: 0.5, position: COMPASS.soea, x: 10, y: 10, scale: 0.2 },
}

/** A vector's options in our names. Without a format it has no ending, which is `source` here. */
export function wishOf({ options }: Vector): ImageOptions {
  const { gravity, crop, flip, watermark, ...same } = (options ?? {}) as Record<string, string>
  return {
    format: 'source',
    ...same,
    ...(gravity === undefined ? {} : { gravity: GRAVITIES[gravity] }),
    ...(crop === undefined ? {} : { crop: CROPS[crop] }),
    ...(flip === '1:0' ? { flip: 'horizontal' } : {}),
    ...(watermark === undefined ? {} : { watermark: WATERMARKS[watermark] }),
  }
}
