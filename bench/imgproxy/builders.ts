/** Who builds a signed URL of `rs:fit:400:0` and webp, done as its users do it, from base64 sources where it says so. */
import { createHmac, createSecretKey } from 'node:crypto'
import { imgproxy } from '../../dist/imgproxy.js'

export const ENDPOINT = 'https://img.example.org'
export const KEY = '943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881'
export const SALT = '520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5'

/** Whether sources stand in the path as base64, which is all that the others get right for every source. */
export type Sources = 'plain' | 'base64'

export interface Builder {
  readonly sources: Sources
  create(): Promise<(source: string) => string>
}

const SIZE = { resize: 'fit', width: 400, height: 0 } as const

function stowage(sources: Sources) {
  return imgproxy({ url: ENDPOINT, key: KEY, salt: SALT, sourceEncoding: sources })
}

function prepared(sources: Sources): Builder {
  return { sources, create: async () => stowage(sources).preset(SIZE) }
}

function withOptions(sources: Sources): Builder {
  return {
    sources,
    create: async () => {
      const images = stowage(sources)
      return source => images.url(source, { resize: 'fit', width: 400, height: 0, format: 'webp' })
    },
  }
}

export const BUILDERS: Readonly<Record<string, Builder>> = {
  'stowage, preset': prepared('plain'),
  'stowage, options each call': withOptions('plain'),
  'stowage, preset, base64': prepared('base64'),
  'stowage, options each call, base64': withOptions('base64'),
  '@imgproxy/imgproxy-node': {
    sources: 'base64',
    create: async () => {
      const { generateImageUrl } = await import('@imgproxy/imgproxy-node')
      return url =>
        generateImageUrl({
          endpoint: ENDPOINT,
          url,
          options: { resizing_type: 'fit', width: 400, height: 0, format: 'webp' },
          key: KEY,
          salt: SALT,
        })
    },
  },
  imgproxy: {
    sources: 'base64',
    create: async () => {
      const { default: Imgproxy } = await import('imgproxy')
      const images = new Imgproxy({ baseUrl: ENDPOINT, key: KEY, salt: SALT, encode: true })
      return source => images.builder().resize('fit', 400, 0).format('webp').generateUrl(source)
    },
  },
  '@bitpatty/imgproxy-url-builder': {
    sources: 'base64',
    create: async () => {
      const { default: build } = await import('@bitpatty/imgproxy-url-builder')
      const signature = { key: KEY, salt: SALT }
      return path =>
        build()
          .resize({ type: 'fit', width: 400, height: 0 })
          .format('webp')
          .build({ path, baseUrl: ENDPOINT, signature })
    },
  },
}

/** The least that any of them must do: the signature of a path of the same length that is there already. */
export function hmacAlone(): (path: string) => string {
  const key = createSecretKey(Buffer.from(KEY, 'hex'))
  const salt = Buffer.from(SALT, 'hex')
  return path => createHmac('sha256', key).update(salt).update(path).digest('base64url')
}

export const source = (index: number) => `https://files.example.org/users/u${1000 + index}/photo.jpg`

/** Our path for a source, whose length is the measure. */
export function pathOf(sources: Sources, index: number): string {
  return stowage(sources)
    .url(source(index), SIZE)
    .slice(ENDPOINT.length + 44)
}
