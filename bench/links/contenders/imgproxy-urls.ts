/** Who builds a signed URL of `rs:fit:400:0` and webp, done as its users do it. */
import { createHmac, createSecretKey } from 'node:crypto'
import { imgproxy } from '../../../dist/imgproxy.js'
import type { TimedContender } from '../../timed-contender.ts'

const ENDPOINT = 'https://img.example.org'
const KEY = '943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881'
const SALT = '520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5'

/** How sources stand in the path. The others are asked for base64, all that they get right for every source. */
type Sources = 'plain' | 'base64'

type Build = (source: string) => string

const SIZE = { resize: 'fit', width: 400, height: 0 } as const

function stowage(sources: Sources) {
  return imgproxy({ url: ENDPOINT, key: KEY, salt: SALT, sourceEncoding: sources })
}

function withOptions(sources: Sources): Build {
  const images = stowage(sources)
  return source => images.url(source, { resize: 'fit', width: 400, height: 0, format: 'webp' })
}

const BUILDERS: Readonly<Record<string, () => Build | Promise<Build>>> = {
  'HMAC alone, plain': hmacAlone,
  'stowage, preset': () => stowage('plain').preset(SIZE),
  'stowage, options each call': () => withOptions('plain'),
  'HMAC alone, base64': hmacAlone,
  'stowage, preset, base64': () => stowage('base64').preset(SIZE),
  'stowage, options each call, base64': () => withOptions('base64'),
  '@imgproxy/imgproxy-node': async () => {
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
  imgproxy: async () => {
    const { default: Imgproxy } = await import('imgproxy')
    const images = new Imgproxy({ baseUrl: ENDPOINT, key: KEY, salt: SALT, encode: true })
    return source => images.builder().resize('fit', 400, 0).format('webp').generateUrl(source)
  },
  '@bitpatty/imgproxy-url-builder': async () => {
    const { default: build } = await import('@bitpatty/imgproxy-url-builder')
    const signature = { key: KEY, salt: SALT }
    return path =>
      build()
        .resize({ type: 'fit', width: 400, height: 0 })
        .format('webp')
        .build({ path, baseUrl: ENDPOINT, signature })
  },
}

/** The least that any of them must do: the signatures of our paths, which are there already. */
function hmacAlone(): (path: string) => string {
  const key = createSecretKey(Buffer.from(KEY, 'hex'))
  const salt = Buffer.from(SALT, 'hex')
  return path => createHmac('sha256', key).update(salt).update(path).digest('base64url')
}

const COUNT = 1_000
const SOURCES = Array.from(
  { length: COUNT },
  (_, index) => `https://files.example.org/users/u${1000 + index}/photo.jpg`,
)

/** The path that is signed: all that follows the signature, which has 43 characters between its slashes. */
function pathsOf(sources: Sources): string[] {
  const build = stowage(sources).preset(SIZE)
  return SOURCES.map(source => build(source).slice(ENDPOINT.length + 44))
}

export async function create({ name }: { name: string }): Promise<TimedContender> {
  const build = await BUILDERS[name]!()
  const bare = /^HMAC alone, (plain|base64)$/.exec(name)?.[1] as Sources | undefined
  const inputs = bare === undefined ? SOURCES : pathsOf(bare)
  return {
    atOnce: 1,
    counts: COUNT,
    operate: () => {
      let length = 0
      for (const input of inputs) length += build(input).length
      if (length === 0) throw new Error('nothing was built')
    },
  }
}
