/** 100 signed URLs that Redis has. */
import { race, type Scale, type Section, timed } from '../section.ts'
import type { CachedUrlsOptions } from './contenders/cached-urls.ts'

const BARE = 'bare MGET'
const NAMES = [BARE, 'stowage', 'stowage, nothing remembered', 'bentocache', 'cacheable', 'files-sdk']
const MODULE = new URL('./contenders/cached-urls.ts', import.meta.url)

export async function benchCachedUrls(redis: string, scale: Scale): Promise<Section> {
  const entrants = NAMES.map(name => timed(name, MODULE, { name, url: redis } satisfies CachedUrlsOptions))
  const { rates, timeRatio, cpuRatio } = await race(entrants, scale)
  return {
    title: '100 cached URLs on Redis',
    how:
      'One call for 100 URLs, one after the other, of a redis-server on loopback; memory layers of the others are off. stowage remembers URLs and reads only whether ' +
      'they still hold; with nothing remembered (localEntries: 0), as in a process that begins, it reads them, too. files-sdk: its cache plugin over a store of GET and SET with JSON.',
    rates,
    figures: ['millis', 'cpuMillis'],
    bars: [
      ...timeRatio('100 cached URLs ÷ bare MGET, time', 'stowage', BARE, { atMost: 2 }),
      ...timeRatio('the same with nothing remembered', 'stowage, nothing remembered', BARE, { atMost: 2 }),
      ...cpuRatio('100 cached URLs ÷ bare MGET, CPU', 'stowage', BARE),
    ],
  }
}
