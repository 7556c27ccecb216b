import { randomBytes } from 'node:crypto'
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { onTestFinished } from 'vitest'
import { type S3Options, s3 } from '../../../src/adapters/s3/index.ts'
import type { S3CommonOptions } from '../../../src/adapters/s3/options.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import type { ListEntry } from '../../../src/core/results.ts'
import type { S3Server } from '../../support/s3-server.ts'

export function connectionTo({ endpoint, region, accessKeyId, secretAccessKey, forcePathStyle }: S3Server) {
  return { endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle }
}

/** The SDK as its users have it, with its own defaults: what ours is compared with. */
export function clientOf(server: S3Server): S3Client {
  return new S3Client(connectionTo(server))
}

export interface TestBucket {
  readonly bucket: string
  readonly client: S3Client
  /** A provider over the bucket, closed at the end of the test. */
  files(options?: Partial<S3CommonOptions>): StorageProvider
  /** Keys of the multipart uploads that were begun and not ended. */
  unfinished(): Promise<string[]>
}

export async function newBucket(server: S3Server, { versioned = false } = {}): Promise<TestBucket> {
  const bucket = `test-${randomBytes(8).toString('hex')}`
  const client = clientOf(server)
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  if (versioned) {
    const VersioningConfiguration = { Status: 'Enabled' as const }
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }))
  }
  return {
    bucket,
    client,
    files(options = {}) {
      const files = s3({ bucket, ...connectionTo(server), ...options } as S3Options)
      onTestFinished(() => files.close())
      return files
    },
    async unfinished() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
      return Uploads.map(upload => upload.Key!)
    },
  }
}

export async function keysOf(list: AsyncIterable<ListEntry>): Promise<string[]> {
  const keys: string[] = []
  for await (const entry of list) keys.push(entry.kind === 'object' ? entry.key : entry.prefix)
  return keys
}

/** `size` bytes in chunks of 64 KiB that differ, whose length nobody knows. */
export async function* streamOf(size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += 65_536) yield bytesAt(at, Math.min(65_536, size - at))
}

export function bytesOf(size: number): Uint8Array {
  return bytesAt(0, size)
}

function bytesAt(start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = ((start + i) * 31 + ((start + i) >> 8)) & 0xff
  return bytes
}
