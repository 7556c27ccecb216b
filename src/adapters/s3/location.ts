import { randomUUID } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'
import { locationOf } from '../../core/location.ts'
import type { S3Options } from './options.ts'

/** Names of clients that have an endpoint of their own: they tell it to a promise only. */
const CLIENTS = new WeakMap<S3Client, string>()

/** Server and bucket. On AWS a bucket's name is one in all regions of a partition, so the region is left out. */
export function bucketLocation(options: S3Options): string {
  return locationOf('s3', [options.storeName ?? serverOf(options), options.bucket])
}

function serverOf(options: S3Options): string {
  if (options.client !== undefined)
    return options.client.config.isCustomEndpoint === true ? nameOf(options.client) : partitionOf(undefined)
  const { endpoint, region } = options
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env
  const address = endpoint ?? AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL
  return address !== undefined && URL.canParse(address) ? serverAt(new URL(address)) : partitionOf(region)
}

/** Without the credentials that an address may hold. */
function serverAt({ host, pathname }: URL): string {
  return host + pathname.replace(/\/+$/, '')
}

/** AWS, or one of its parts that share nothing with the others: China, governments (`us-gov-`, `us-iso-`, …). */
function partitionOf(region: unknown): string {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const place = typeof region === 'string' ? region : (AWS_REGION ?? AWS_DEFAULT_REGION ?? '')
  return /^(?:cn|us-gov|[a-z]+-iso[a-z]?)(?=-)/.exec(place)?.[0] ?? 'aws'
}

/** Nobody else has it: better a cache that is not shared than one that is shared with another store. */
function nameOf(client: S3Client): string {
  const name = CLIENTS.get(client) ?? `client-${randomUUID()}`
  CLIENTS.set(client, name)
  return name
}
