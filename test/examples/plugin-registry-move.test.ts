/**
 * `MIGRATING.md`, word by word: a store of plugins moves from Supabase to S3 while clients publish and download, and one in
 * twenty of all requests to either store fails.
 *
 * The verdict does not hang on luck. A client tries each request 8 times, a server each operation on a store 5 times. An
 * operation fails at a server where 5 tries do: 0.05^5, about 3 in 10,000,000; its client then tries again. A request of a
 * client to a store fails where 8 tries do: 4 in 100,000,000,000, which is one of the whole test's in a million runs. A
 * command tries each operation 4 times, 6 in 1,000,000, so that of its thousands one may fail: then it is run again.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/decorators/seeded-random.ts'
import { open } from '../../src/open.ts'
import { readGuide, type Step } from '../docs/guide.ts'
import { notPrinted } from '../docs/printed.ts'
import { build, root } from '../package/packed-package.ts'
import { s3Servers } from '../support/s3-servers.ts'
import { type SupabaseUnderTest, supabaseUnderTest } from '../support/supabase.ts'
import { everythingIsRequired } from '../support/tools.ts'
import { DEFAULTS, removeFolders } from './plugin-registry-server.ts'
import { openShell, type Shell } from './plugin-registry-shell.ts'
import { Traffic } from './plugin-registry-traffic.ts'
import { RegistryWorld } from './plugin-registry-world.ts'

const FAULTY_SHARE = 0.05
const COMMAND_ATTEMPTS = 3
/** Minutes on two cores of their own; on a machine that does ten times as much beside it, ten. */
const LIMIT_MS = 1_200_000
/** A machine without MinIO moves from one Supabase bucket to another, and less. */
const minio = s3Servers().find(({ name }) => name === 'minio')
const size =
  minio !== undefined && everythingIsRequired()
    ? { publishes: 2_000, downloads: 5_000, atOnce: 16 }
    : { publishes: 80, downloads: 200, atOnce: 8 }

const page = join(root, 'examples/plugin-registry/MIGRATING.md')
const { steps } = readGuide('examples/plugin-registry/MIGRATING.md', readFileSync(page, 'utf8'))
type Commands = Extract<Step, { kind: 'commands' }>

beforeAll(build)
afterAll(removeFolders)

describe(`MIGRATING.md, to ${minio === undefined ? 'another Supabase' : 'MinIO'}`, () => {
  let supabase: SupabaseUnderTest
  let world: RegistryWorld
  let shell: Shell
  const ends: (() => Promise<unknown>)[] = []

  beforeEach(async () => {
    supabase = await supabaseUnderTest()
    ends.push(() => supabase.stop())
  })
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  it(
    'loses no version and fails no download, whatever phase the move is in',
    async () => {
      world = await RegistryWorld.start()
      ends.push(() => world.close())
      const source = await world.faulty(supabase.url, FAULTY_SHARE, seededRandom(1))
      const bucket = `plugins-${randomUUID()}`
      await supabase.createBucket(bucket)
      const destination = await newDestination()
      const given: Record<string, string> = {
        STOWAGE_URL: `supabase://${bucket}`,
        SUPABASE_URL: source.origin,
        SUPABASE_SERVICE_ROLE_KEY: supabase.serviceKey,
        DATABASE_URL: `sqlite:${join(world.folder, 'registry.db')}`,
        ...destination.given,
      }
      shell = openShell({ ...DEFAULTS, PORT: '0' })
      ends.push(() => shell.close())
      const { publishes, downloads, atOnce } = size
      const traffic = new Traffic({ url: world.url, publishes, downloads, atOnce, seed: 3 })
      let going: Promise<void> | undefined

      /** As the page says: what failed because a store did is run again. */
      async function command({ text, prints }: Commands): Promise<void> {
        for (let attempt = 1; ; attempt++)
          try {
            const printed = await shell.run(text)
            const absent = prints && notPrinted(prints.text, printed)
            if (absent !== undefined)
              throw new Error(`${text}should print “${absent}”, and prints\n${printed}`)
            return
          } catch (error) {
            if (attempt === COMMAND_ATTEMPTS || text.includes('advance')) throw error
          }
      }

      async function follow(step: Step, at: number): Promise<void> {
        if (step.kind === 'given')
          await shell.run(step.variables.map(name => `export ${name}='${given[name]}'`).join('\n'))
        else if (step.kind !== 'commands') throw new Error(`nothing is known to do with line ${step.line}`)
        else if (step.until !== undefined) {
          expect(step.text.trim()).toBe('node examples/plugin-registry/server.js data')
          await world.restart(await shell.environment())
          going ??= traffic.run()
        } else await command(step)
        traffic.release((at + 1) / last)
      }

      const texts = steps.map(step => (step.kind === 'commands' ? step.text : ''))
      const drop = texts.findIndex(text => text.includes('drop-source'))
      const retired = texts.findLastIndex(text => text.includes('cutover advance'))
      const last = drop - 1
      for (const [at, step] of steps.slice(0, drop).entries()) {
        await follow(step, at)
        // Until its objects are dropped, nobody asks the source any more: it is as good as gone.
        if (at === retired) source.isDown = true
        if (going !== undefined) await traffic.reach(at / last)
      }
      await traffic.reach(1)
      await going

      expect(traffic.failures.download).toEqual([])
      expect(traffic.downloaded).toBe(downloads)
      expect(traffic.failures.publish.length, traffic.failures.publish.join('\n')).toBeLessThanOrEqual(
        publishes / 1000,
      )
      expect(source.counts.faults).toBeGreaterThan(0)
      expect(destination.proxy.counts.faults).toBeGreaterThan(0)

      const env = await shell.environment()
      const files = await open(destination.url, { env, records: given.DATABASE_URL! })
      ends.push(() => files.close())
      for (const { name, version, sha256 } of traffic.published) {
        const bytes = await (await files.download(`plugins/${name}/${version}.tgz`)).bytes()
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
      }
      const audit = await files.audit()
      expect(audit).toMatchObject({ clean: true })

      source.isDown = false
      for (const [at, step] of steps.slice(drop).entries()) await follow(step, drop + at)
      const left = await open(given.STOWAGE_URL!, { env: { ...env, SUPABASE_URL: supabase.url } })
      ends.push(() => left.close())
      const there: string[] = []
      for await (const entry of left.list()) if (entry.kind === 'object') there.push(entry.key)
      // What was sent and may be finalized still, as far as the source knows, is nobody's to drop.
      expect(there.filter(key => !key.startsWith('default/.stowage/staging/'))).toEqual([])
    },
    LIMIT_MS,
  )

  async function newDestination() {
    const bucket = `moved-${randomUUID()}`
    if (minio === undefined) {
      await supabase.createBucket(bucket)
      const proxy = await world.faulty(supabase.url, FAULTY_SHARE, seededRandom(2))
      const MOVE_TO_URL = `supabase://${bucket}?url=${encodeURIComponent(proxy.origin)}`
      const url = `supabase://${bucket}?url=${encodeURIComponent(supabase.url)}`
      return { proxy, url, given: { MOVE_TO_URL, AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' } }
    }
    const { endpoint, region, accessKeyId, secretAccessKey } = minio
    const credentials = { accessKeyId, secretAccessKey }
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    client.destroy()
    const proxy = await world.faulty(endpoint, FAULTY_SHARE, seededRandom(2))
    const urlAt = (origin: string) => `s3://${bucket}?${new URLSearchParams({ endpoint: origin, region })}`
    return {
      proxy,
      url: urlAt(endpoint),
      given: {
        MOVE_TO_URL: urlAt(proxy.origin),
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      },
    }
  }
})
