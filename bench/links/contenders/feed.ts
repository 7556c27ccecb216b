/** The URL sets of a feed, and the parts of it that nobody can do without. */
import { createHmac } from 'node:crypto'
import { Redis } from 'ioredis'
import { imgproxy } from '../../../dist/imgproxy.js'
import type { TimedContender } from '../../timed-contender.ts'
import { engineOf, FEED, type FeedOptions, KEY, openFeed, SALT, VARIANTS } from '../feed-files.ts'

export type FeedContender =
  | { part: 'hmacs' }
  | { part: 'presets' }
  | ({ part: 'all'; redis: string } & FeedOptions)

export async function create(options: FeedContender): Promise<TimedContender> {
  if (options.part === 'hmacs') return { atOnce: 1, operate: hmacsOnly() }
  if (options.part === 'presets') return { atOnce: 1, operate: presetsOnly() }
  const feed = await openFeed(new Redis(options.redis), engineOf(options), options)
  await feed.read()
  return { atOnce: 1, operate: feed.read }
}

const SOURCES = Array.from(
  { length: FEED },
  (_, at) => `s3://photos/default/user/thread/${at}.01kdvdna00f912fqqq2m4kdjea.jpg`,
)

function hmacsOnly(): () => void {
  const [key, salt] = [Buffer.from(KEY, 'hex'), Buffer.from(SALT, 'hex')]
  const paths = SOURCES.map(source => `/rs:fit:400:0/plain/${encodeURIComponent(source)}@webp`)
  return () => {
    for (const path of paths)
      for (let at = 0; at < VARIANTS; at++)
        createHmac('sha256', key).update(salt).update(path).digest('base64url')
  }
}

function presetsOnly(): () => void {
  const images = imgproxy({ url: 'https://img.example.org', key: KEY, salt: SALT })
  const presets = [
    images.preset({}),
    images.preset({ resize: 'fit', width: 400, height: 0 }),
    images.preset({ resize: 'fit', width: 20, height: 0, blur: 5 }),
  ]
  return () => {
    for (const source of SOURCES) for (const preset of presets) preset(source)
  }
}
