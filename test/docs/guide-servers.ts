/** The servers that guides speak of, started when a guide first asks for one of them. */
import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { inject } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import { startRqlite } from '../support/rqlite.ts'
import { supabaseUnderTest } from '../support/supabase.ts'
import { everythingIsRequired, findTool, missingTool } from '../support/tools.ts'

/** Says in a sentence which server is not on this machine. */
export class MissingServer extends Error {}

export interface GuideServers {
  /** What a variable of a guide stands for here. @throws `MissingServer` */
  valueGiven(variable: string): Promise<string>
  stop(): Promise<void>
}

export function guideServers(): GuideServers {
  const stops: (() => Promise<unknown>)[] = []
  const started = async <Server extends { stop(): Promise<unknown> }>(server: Promise<Server>) => {
    const { stop } = await server
    stops.push(() => stop())
    return server
  }
  const supabase = once(() => started(supabaseUnderTest()))
  const rqlite = once(() => started(startRqlite()))
  const redis = once(() => started(startRedis(redisCommand())))
  const values: Record<string, () => Promise<string> | string> = {
    SUPABASE_URL: async () => (await supabase()).url,
    SUPABASE_SERVICE_ROLE_KEY: async () => (await supabase()).serviceKey,
    SUPABASE_BUCKET: async () => {
      const name = `guide-${randomUUID()}`
      await (await supabase()).createBucket(name)
      return name
    },
    AWS_ACCESS_KEY_ID: () => minio().accessKeyId,
    AWS_SECRET_ACCESS_KEY: () => minio().secretAccessKey,
    AWS_REGION: () => minio().region,
    AWS_ENDPOINT_URL: () => minio().endpoint,
    S3_BUCKET: newBucket,
    RQLITE_HOSTS: async () => (await rqlite()).nodes.map(node => new URL(node.url).host).join(','),
    APP_PORT: async () => String(await freePort()),
    FILES_PORT: async () => String(await freePort()),
    IMAGES_PORT: async () => String(await freePort()),
    REDIS_URL: async () => (await redis()).url,
  }
  return {
    async valueGiven(variable) {
      const value = await values[variable]?.()
      if (value === undefined) throw new Error(`no server of the test has a value for ${variable}`)
      return value
    },
    async stop() {
      for (const stop of stops) await stop()
    },
  }
}

function minio() {
  const server = inject('s3Servers').find(one => one.name === 'minio')!
  if ('missing' in server) throw new MissingServer(server.missing)
  return server
}

async function newBucket(): Promise<string> {
  const { endpoint, region, accessKeyId, secretAccessKey } = minio()
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  })
  const Bucket = `guide-${randomUUID()}`
  await client.send(new CreateBucketCommand({ Bucket }))
  client.destroy()
  return Bucket
}

function redisCommand(): string {
  const command = findTool('redis-server')
  if (command === undefined && everythingIsRequired()) throw new Error(missingTool('redis-server'))
  if (command === undefined) throw new MissingServer(missingTool('redis-server'))
  return command
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    return made
  }
}
