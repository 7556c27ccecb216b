import { randomBytes } from 'node:crypto'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newBucket } from '../adapters/s3/bucket.ts'
import { build } from '../package/packed-package.ts'
import { describeWithTool } from '../support/describe-with-tool.ts'
import { createDatabase, describeOnPostgres } from '../support/on-postgres.ts'
import { startRedis } from '../support/redis.ts'
import { startRqlite } from '../support/rqlite.ts'
import { describeOnS3Server } from '../support/s3-servers.ts'
import { supabaseUnderTest } from '../support/supabase.ts'
import {
  newFolder,
  photo,
  REAL_IMGPROXY,
  removeFolders,
  startServer,
  Visitor,
} from './image-pipeline-server.ts'

beforeAll(build)
afterAll(removeFolders)

/** What a visitor does on any parts; `said` is what the server says of them. */
async function walk(env: Record<string, string>, said: string): Promise<string[]> {
  const server = await startServer(newFolder(), env)
  try {
    expect(server.output()).toContain(said)
    const ana = new Visitor(server.url)
    const image = await ana.upload(await photo({ width: 900, height: 600, orientation: 6 }))
    expect(image).toMatchObject({ width: 600, height: 900, blurhash: expect.stringMatching(/^.{36}$/) })
    await ana.upload(await photo(), { threadId: image.threadId, kind: 'gen' })
    await ana.ask('POST', '/feed', { imageId: image.id })
    const first = await ana.feed()
    expect(await ana.feed()).toEqual(first)
    expect(await ana.metric('signed_url_batch', 'hit')).toBeGreaterThan(0)
    const [shared] = (await new Visitor(server.url).feed()).images
    for (const [url, width, height] of [
      [image.url, 600, 900],
      [image.thumbUrl, 400, 600],
      [shared!.thumbUrl, 400, 600],
    ] as const) {
      const response = await fetch(url)
      expect(response.status, url).toBe(200)
      const { autoOrient } = await sharp(Buffer.from(await response.arrayBuffer())).metadata()
      expect([autoOrient.width, autoOrient.height]).toEqual([width, height])
    }
    const bad = await ana.send(Buffer.from('no image'), { contentType: 'image/png' })
    expect((await ana.ask('POST', '/images', { ticket: bad })).status).toBe(422)
    expect((await ana.ask('DELETE', `/images/${image.id}`)).status).toBe(204)
    for (const { url } of [image, shared!]) expect((await fetch(url)).ok, url).toBe(false)
    expect((await ana.feed()).images).toEqual([])
    expect(server.output()).not.toMatch(/warning|alarm|error/i)
    return [image.url, image.thumbUrl]
  } finally {
    await server.kill('SIGTERM')
  }
}

describeOnS3Server('minio', 'image-pipeline', server => {
  it('keeps its files in S3', async () => {
    const { bucket } = await newBucket(server)
    const env = {
      STOWAGE_URL: `s3://${bucket}?endpoint=${server.endpoint}&region=${server.region}`,
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    }
    const [url] = await walk(env, 'files in S3')
    expect(url!.startsWith(server.endpoint)).toBe(true)
  })
})

describe('image-pipeline', () => {
  it('keeps its files in Supabase', async () => {
    const supabase = await supabaseUnderTest()
    try {
      const bucket = `images-${randomBytes(4).toString('hex')}`
      await supabase.createBucket(bucket)
      const env = {
        STOWAGE_URL: `supabase://${bucket}`,
        SUPABASE_URL: supabase.url,
        SUPABASE_SERVICE_ROLE_KEY: supabase.serviceKey,
      }
      await walk(env, 'files in Supabase')
    } finally {
      await supabase.stop()
    }
  })

  it('keeps its records in rqlite', async () => {
    const cluster = await startRqlite()
    try {
      const hosts = cluster.nodes.map(({ url }) => new URL(url).host)
      await walk({ DATABASE_URL: `rqlite://${hosts.join(',')}` }, 'records in rqlite')
    } finally {
      await cluster.stop()
    }
  })

  if (REAL_IMGPROXY === undefined)
    it.skip('has its images made by a real imgproxy [skipped: STOWAGE_TEST_IMGPROXY_URL names none]', () => {})
  else
    it('has its images made by a real imgproxy', async () => {
      const [, thumbUrl] = await walk(REAL_IMGPROXY!, 'images by imgproxy')
      expect(thumbUrl!.startsWith(REAL_IMGPROXY!.IMGPROXY_URL!)).toBe(true)
    })
})

describeOnPostgres('image-pipeline', server => {
  it('keeps its records in PostgreSQL', async () => {
    const database = await createDatabase(server)
    try {
      await walk({ DATABASE_URL: database.url }, 'records in PostgreSQL')
    } finally {
      await database.drop()
    }
  })
})

describeWithTool('redis-server', 'image-pipeline', command => {
  it('keeps its URLs in Redis, for all processes and through a restart', async () => {
    const redis = await startRedis(command)
    try {
      const env = { REDIS_URL: redis.url, APP_SECRET: randomBytes(16).toString('hex') }
      await walk(env, 'URLs cached in Redis')
      const folder = newFolder()
      const one = await startServer(folder, env)
      const { port } = new URL(one.url)
      const ana = new Visitor(one.url)
      await ana.upload(await photo())
      const before = await ana.feed()
      await one.kill('SIGTERM')
      const two = await startServer(folder, { ...env, PORT: port })
      try {
        expect(await ana.feed()).toEqual(before)
        expect(await ana.metric('signed_url_batch', 'miss')).toBe(0)
        // Without its cache it signs, and says so.
        redis.freeze()
        const { images } = await ana.feed()
        expect(images.map(({ id }) => id)).toEqual(before.images.map(({ id }) => id))
        expect(await ana.metric('signed_url_batch', 'error')).toBe(1)
      } finally {
        redis.thaw()
        await two.kill('SIGTERM')
      }
    } finally {
      await redis.stop()
    }
  })
})
