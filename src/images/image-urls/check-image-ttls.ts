import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import type { ImageTtls } from './image-ttls.ts'

/** Which rule is broken, and what happens then and what to do. */
export interface TtlWarning {
  readonly rule: keyof typeof RULES
  readonly message: string
}

interface Lifetimes {
  readonly ttls: Required<Omit<ImageTtls, 'maxExpiresIn'>> & ImageTtls
  /** What a signed URL has left at least when it is handed out. */
  readonly urlLeft: number
  /** What an image URL of imgproxy lives. */
  readonly imageLife: number
}

/** Each rule: what is told where it is broken, else undefined. `docs/images-behind-a-cdn.md` has them as a table. */
const RULES = {
  'beyond-provider': ({ ttls: { expiresIn, maxExpiresIn } }: Lifetimes) =>
    maxExpiresIn !== undefined &&
    expiresIn > maxExpiresIn &&
    `URLs of ${say(expiresIn)} are asked for and the provider signs ${say(maxExpiresIn)} at most: every signing is refused. Lower expiresIn.`,

  'url-changes-at-each-call': ({ ttls: { cached, source } }: Lifetimes) =>
    !cached &&
    `Originals get a new URL at each call${source === 'signed-url' ? ', and so do the images made of them' : ''}: no cache ever has them. Put cacheSignedUrls around the provider, or give S3 windowSeconds, and say cached: true and marginSeconds: what expiresIn has beyond the window.`,

  'margin-beyond-lifetime': ({ ttls: { cached, marginSeconds, expiresIn } }: Lifetimes) =>
    cached &&
    marginSeconds >= expiresIn &&
    `A cached URL needs ${say(marginSeconds)} left to be handed out and never has more than ${say(expiresIn)}: each is signed again. Make marginSeconds a small part of expiresIn.`,

  'page-outlives-url': ({ ttls: { pageSeconds, marginSeconds, cached }, urlLeft }: Lifetimes) =>
    pageSeconds > urlLeft &&
    `A page is kept for ${say(pageSeconds)} and its originals may end after ${say(urlLeft)}: they break on it. ${cached ? `Raise marginSeconds from ${say(marginSeconds)}` : 'Raise expiresIn'}, or keep pages for less.`,

  'page-outlives-image': ({ ttls: { pageSeconds, imageSeconds } }: Lifetimes) =>
    pageSeconds > imageSeconds &&
    `A page is kept for ${say(pageSeconds)} and its images may end after ${say(imageSeconds)}: they break on it. Raise ttlSeconds of the builder, or keep pages for less.`,

  'cdn-outlives-url': ({ ttls: { cdnSeconds, originalSeconds, expiresIn } }: Lifetimes) =>
    Math.max(cdnSeconds, originalSeconds) > expiresIn &&
    `Caches keep originals for ${say(Math.max(cdnSeconds, originalSeconds))}, beyond the ${say(expiresIn)} of their URLs: who has one reads on after its end, and what is replaced stays. Let the CDN keep them for ${say(expiresIn)} at most.`,

  'cdn-outlives-image': ({ ttls: { cdnSeconds }, imageLife }: Lifetimes) =>
    cdnSeconds > imageLife &&
    `The CDN's rule keeps images for ${say(cdnSeconds)}, beyond the ${say(imageLife)} of their URLs and the Cache-Control that imgproxy sends with these. Have the rule keep to the origin's header.`,

  'image-never-ends': ({ ttls: { source, imageSeconds, imgproxySeconds } }: Lifetimes) =>
    source === 'stable' &&
    imageSeconds === Number.POSITIVE_INFINITY &&
    `Originals end and images made of them do not: who has an image URL keeps it, and caches keep the image for ${say(imgproxySeconds)}, also when its file is deleted. Give the builder ttlSeconds, unless the images are for everybody.`,

  'image-is-made-again': ({ ttls: { imgproxySeconds }, imageLife }: Lifetimes) =>
    imageLife !== Number.POSITIVE_INFINITY &&
    imgproxySeconds < imageLife / 10 &&
    `Image URLs live for ${say(imageLife)} and imgproxy lets their images be kept for ${say(imgproxySeconds)}: each is made again and again. What has a version in its URL can be kept: raise the server's IMGPROXY_TTL.`,
} as const

/**
 * Whether lifetimes fit each other: of signed URLs, their cache, imgproxy's URLs and Cache-Control, the CDN's rules, and
 * the pages that hold the URLs. A warning for each rule that is broken; none where all is well.
 *
 * `imageUrls(…).ttls` has what provider and builder tell; what the server and the CDN are set to only you know.
 *
 * @throws `invalid-argument` for what is no number of seconds, and for an unknown name
 *
 * @example
 * ```ts
 * const images = imgproxy({ url: 'https://img.example.org', key: '736563726574', salt: '68656c6c6f' })
 * const { ttls } = imageUrls(files, images, { source: 's3://photos/' })
 * for (const { rule, message } of checkImageTtls({ ...ttls, cdnSeconds: 86_400, pageSeconds: 60 }))
 *   console.warn(rule, message)
 * ```
 */
export function checkImageTtls(ttls: ImageTtls): TtlWarning[] {
  assertTtls(ttls)
  const all = {
    ...ttls,
    marginSeconds: ttls.marginSeconds ?? 3_600,
    imageSeconds: ttls.imageSeconds ?? Number.POSITIVE_INFINITY,
    imgproxySeconds: ttls.imgproxySeconds ?? 31_536_000,
    originalSeconds: ttls.originalSeconds ?? 0,
    cdnSeconds: ttls.cdnSeconds ?? 0,
    pageSeconds: ttls.pageSeconds ?? 0,
  }
  const urlLeft = ttls.cached ? Math.min(all.marginSeconds, all.expiresIn) : all.expiresIn
  const imageLife =
    ttls.source === 'signed-url' ? Math.min(all.imageSeconds, all.expiresIn) : all.imageSeconds
  return Object.entries(RULES).flatMap(([rule, broken]) => {
    const message = broken({ ttls: all, urlLeft, imageLife })
    return message === false ? [] : [{ rule: rule as TtlWarning['rule'], message }]
  })
}

function assertTtls(ttls: ImageTtls): void {
  assertFactoryOptions('checkImageTtls', ttls, {
    source: 'string',
    expiresIn: 'number',
    maxExpiresIn: 'number',
    cached: 'boolean',
    marginSeconds: 'number',
    imageSeconds: 'number',
    imgproxySeconds: 'number',
    originalSeconds: 'number',
    cdnSeconds: 'number',
    pageSeconds: 'number',
  })
  const refuse = (problem: string) => new StorageError('invalid-argument', `checkImageTtls: ${problem}`)
  if (ttls.source !== 'signed-url' && ttls.source !== 'stable')
    throw refuse("source must be 'signed-url' or 'stable'")
  for (const [name, value] of Object.entries(ttls))
    if (typeof value === 'number' && !(Number.isFinite(value) && value >= 0))
      throw refuse(`${name} must be a number of seconds`)
  if (ttls.expiresIn === undefined || ttls.cached === undefined)
    throw refuse('expiresIn and cached must be given; imageUrls(…).ttls has them')
}

const UNITS = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const

/** Seconds for a person: in the largest unit of which there are two. */
function say(seconds: number): string {
  const [size, unit] = UNITS.find(([each]) => seconds >= 2 * each) ?? [1, 'second']
  const count = Math.round((seconds / size) * 10) / 10
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
