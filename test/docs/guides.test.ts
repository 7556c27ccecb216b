/**
 * Every guide of `docs/guides/`, followed word by word: see `guide.ts` for what a block is.
 *
 * `STOWAGE_TEST_DIST` names a build elsewhere than in `dist`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BUILD_AND_INSTALL_MS, build, root } from '../package/packed-package.ts'
import { readGuide } from './guide.ts'
import { guideServers, MissingServer } from './guide-servers.ts'
import { runGuide } from './run-guide.ts'

const LIMIT_MS = 300_000

const guides = readdirSync(join(root, 'docs/guides'))
  .filter(name => name.endsWith('.md'))
  .sort()
  .map(name => `docs/guides/${name}`)
  .map(path => readGuide(path, readFileSync(join(root, path), 'utf8')))

describe('the guide', () => {
  const servers = guideServers()
  beforeAll(() => (process.env.STOWAGE_TEST_DIST ? undefined : build()), BUILD_AND_INSTALL_MS)
  afterAll(() => servers.stop())

  for (const guide of guides)
    test(`“${guide.title}” holds, word by word`, { timeout: LIMIT_MS }, async context => {
      try {
        await runGuide(guide, { dist: process.env.STOWAGE_TEST_DIST, valueGiven: servers.valueGiven })
      } catch (error) {
        if (error instanceof MissingServer) context.skip(error.message)
        throw error
      }
    })
})

test('what the guides show and this test does not do is this, each with its reason', () => {
  const left = guides.flatMap(({ path, steps }) =>
    steps.flatMap(step =>
      step.kind === 'not-run' ? [`${basename(path)} ${step.language}: ${step.reason}`] : [],
    ),
  )
  expect(left).toEqual([
    "coming-from-flydrive.md ts: flydrive is none of this repository's packages",
    'images-behind-a-cdn.md sh: needs imgproxy and Docker',
    'leaving-supabase.md sh: your own application',
    'leaving-supabase.md sh: there is no way back from it',
    'metadata-on-rqlite.md sh: needs three machines; the test starts a cluster of its own',
    'operating.md text: a crontab',
  ])
})
