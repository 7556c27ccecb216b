import { isIP } from 'node:net'
import type { S3Options } from '../adapters/s3/options.ts'
import { StorageError } from '../core/errors.ts'
import type { StoreUrl } from './store-url.ts'

/** What `s3()` is given for a URL: the bucket with its connection. */
export function s3OptionsOf(
  { name, prefix, parameters }: StoreUrl,
  given: Readonly<Record<string, string | undefined>> | undefined,
): S3Options {
  const env = given ?? process.env
  const { endpoint, profile, publicBaseUrl, storeName } = parameters
  const region =
    parameters.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? (endpoint ? 'us-east-1' : undefined)
  return {
    bucket: name,
    forcePathStyle: flag('forcePathStyle', parameters.forcePathStyle) ?? isAddress(endpoint),
    ...present({ endpoint, profile, publicBaseUrl, region, storeName }),
    // Credentials may end at the prefix: then nothing beside it can be probed.
    ...present({ probePrefix: prefix || undefined, credentials: given && awsCredentials(given) }),
  }
}

/** The SDK looks into `process.env` by itself; another environment has to be read for it. */
function awsCredentials(env: Readonly<Record<string, string | undefined>>) {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId, secretAccessKey, ...present({ sessionToken: env.AWS_SESSION_TOKEN }) }
}

/** A bucket can't be put in front of a bare address: `bucket.127.0.0.1` is no name. */
function isAddress(endpoint: string | undefined): boolean {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false
  const host = new URL(endpoint).hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || isIP(host) !== 0
}

function flag(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined
  if (value === 'true' || value === 'false') return value === 'true'
  throw new StorageError('invalid-argument', `open: ${name} must be true or false`, { operation: 'open' })
}

function present<T extends object>(options: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
