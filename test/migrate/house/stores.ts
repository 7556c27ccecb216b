/** The stores of a move, each of which can go away and come back. */
import { exec } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { inject, onTestFinished, type TestContext } from 'vitest'
import { startMinio } from '../../support/minio.ts'
import type { RunningS3Server } from '../../support/s3-server.ts'
import { supabaseUnderTest } from '../../support/supabase.ts'
import { findTool, missingTool } from '../../support/tools.ts'
import { startVersitygw } from '../../support/versitygw.ts'
import { gate } from './gate.ts'

export interface MovingStore {
  readonly name: string
  /** As `open` takes it. */
  readonly url: string
  /** Its credentials. */
  readonly env: Readonly<Record<string, string>>
  /** The server is gone: connections are reset, the port is closed. What it holds stays. */
  fall(): Promise<void>
  rise(): Promise<void>
}

export interface MovingS3Store extends MovingStore {
  readonly bucket: string
  readonly server: RunningS3Server
}

const STARTERS = { minio: startMinio, versitygw: startVersitygw }

/** A server of its own, that the other tests don't miss when it is killed. */
export async function s3Store(name: keyof typeof STARTERS, context: TestContext): Promise<MovingS3Store> {
  const provided = inject('s3Servers').find(server => server.name === name)!
  if ('missing' in provided) context.skip(provided.missing)
  const command = findTool(name)
  if (command === undefined) context.skip(missingTool(name))
  const server = await STARTERS[name](command!)
  onTestFinished(() => server.stop())
  const bucket = `house-${randomBytes(6).toString('hex')}`
  const { endpoint, region, accessKeyId, secretAccessKey } = server
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return {
    name,
    bucket,
    server,
    url: `s3://${bucket}?endpoint=${endpoint}&region=${region}`,
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    fall: server.process.kill,
    rise: server.process.restart,
  }
}

/**
 * The real Supabase where the environment names one. It stands behind a gate, since it is not ours to be killed; where
 * STOWAGE_TEST_SUPABASE_RESTART is a command that kills it, starts it and waits for it, that is done.
 */
export async function supabaseStore(): Promise<MovingStore> {
  const server = await supabaseUnderTest()
  onTestFinished(() => server.stop())
  const bucket = `house-${randomBytes(6).toString('hex')}`
  await server.createBucket(bucket)
  const restart = server.kind === 'real' ? process.env.STOWAGE_TEST_SUPABASE_RESTART : undefined
  const { port, protocol } = new URL(server.url)
  if (protocol !== 'http:') throw new Error('the Supabase under test must speak plain HTTP here')
  const way = await gate(Number(port))
  onTestFinished(() => way.shut())
  return {
    name: server.kind === 'real' ? 'a real Supabase' : 'the stand-in for Supabase',
    url: `supabase://${bucket}?keyEncoding=escape`,
    env: { SUPABASE_URL: `http://127.0.0.1:${way.port}`, SUPABASE_SERVICE_ROLE_KEY: server.serviceKey },
    fall: restart === undefined ? way.shut : () => promisify(exec)(restart).then(() => {}),
    rise: restart === undefined ? way.reopen : async () => {},
  }
}
