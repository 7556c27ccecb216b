/**
 * `npm run bench:links`: signed URLs that are kept, imgproxy URLs, blurhash, and the URL sets of a feed, against the
 * peers and against the least that the work takes. Prints tables and writes bench/results/links.json and links.svg.
 *
 * `--quick` does a little of everything and writes nothing: it tries the bench itself. `--only=feed,images` runs some
 * of `cached`, `imgproxy`, `images`, `feed`, `presigned`, and writes nothing either.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis } from '../../test/support/redis.ts'
import { findTool, missingTool } from '../../test/support/tools.ts'
import { findSqliteLibraries } from '../records/sqlite-library.ts'
import { isQuick, type Part, runParts } from '../run-parts.ts'
import type { Scale, Section } from '../section.ts'
import { benchCachedUrls } from './cached-urls.ts'
import { benchFeed } from './feed.ts'
import { benchBlurhash, benchDescribe } from './images.ts'
import { benchImgproxyUrls } from './imgproxy-urls.ts'
import { benchPresigned } from './presigned.ts'

const SCALE: Scale = { rounds: isQuick ? 1 : 21, seconds: isQuick ? 0.02 : 0.1, quick: isQuick }

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-bench-links-'))
  const { found } = await findSqliteLibraries()
  const parts: Record<string, Part> = {
    cached: () => withRedis(url => benchCachedUrls(url, SCALE)),
    imgproxy: async () => [await benchImgproxyUrls(SCALE)],
    images: async () => [await benchBlurhash(SCALE), ...(await benchDescribe(folder, SCALE))],
    feed: () => withRedis(url => benchFeed(url, found[0]!, folder, SCALE)),
    presigned: async () => [await benchPresigned(SCALE)],
  }
  try {
    await runParts({ name: 'links', parts, scale: SCALE, labelWidth: 320 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function withRedis(run: (url: string) => Promise<Section>): ReturnType<Part> {
  const command = findTool('redis-server')
  if (command === undefined) return { missing: missingTool('redis-server') }
  const server = await startRedis(command)
  try {
    return [await run(server.url)]
  } finally {
    await server.stop()
  }
}

await main()
