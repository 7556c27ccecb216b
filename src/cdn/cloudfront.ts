import { deadline } from '../core/deadline.ts'
import { StorageError } from '../core/errors.ts'
import type { Invalidator } from '../core/invalidator.ts'
import { loadPeer } from '../core/peer.ts'
import { TokenBucket } from '../core/token-bucket.ts'
import { batchedInvalidator, NONE_FAILED, type PurgeBatch } from './batched-invalidator.ts'
import { cloudfrontError } from './cloudfront-errors.ts'
import { badOption, idOf, least, type PurgeOptions, purgeSettings } from './purge-settings.ts'
import type { Purge } from './purge-targets.ts'

/** The part of `CloudFrontClient` that is used here. */
export interface CloudfrontClient {
  send(command: never, options: { abortSignal?: AbortSignal }): Promise<unknown>
}

/** Keys of AWS, as their SDK takes them. */
export interface AwsCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

export interface CloudfrontOptions extends PurgeOptions {
  /** `E…`, from the list of distributions. */
  distributionId: string
  /** A `CloudFrontClient` of yours; `close()` leaves it open. Absent: one is made from the environment. */
  client?: CloudfrontClient
  /** Without `client`: AWS credentials, as `CloudFrontClient` takes them. Default: the SDK's own search. */
  credentials?: AwsCredentials | (() => Promise<AwsCredentials>)
  /** Without `client`: another address of the API. */
  endpoint?: string
  /** Paths and tags in one invalidation, 1 to 3,000. Default: 1,000. */
  perRequest?: number
}

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html */
const MAX_PATHS = 3_000
const MAX_WILDCARDS = 15
/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html */
const MAX_PATH_LENGTH = 4_000
/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html */
const MAX_TAG_LENGTH = 256
/** No rate is documented for CreateInvalidation; what is in progress is the limit. This is a courtesy. */
const RATE = { burst: 10, perSecond: 2 }

/**
 * Tells CloudFront by path, by wildcard and, where the distribution has a `CacheTagConfig`, by tag.
 *
 * `ok` means that CloudFront took the invalidation; it is in effect everywhere some minutes later. The
 * `CallerReference` is made of the paths and the targets' references: an invalidation that is told again after a lost
 * answer is the same one, and costs nothing; the same path under another reference is told in earnest.
 *
 * Every path counts for the bill beyond the first 1,000 in a month: https://aws.amazon.com/cloudfront/pricing/.
 * Needs `@aws-sdk/client-cloudfront`.
 *
 * Written from AWS's documents and tested with the SDK against a stand-in; CloudFront itself was never called.
 * Source: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
 *
 * @throws `invalid-argument` for options that can't be meant
 * @example
 * ```ts
 * const cdn = cloudfront({ distributionId: 'EDFDVBD6EXAMPLE' })
 * const [result] = await cdn.invalidate([{ key: 'a/photo.jpg', paths: [], tags: [], reference: 'job-17' }])
 * ```
 */
export function cloudfront(options: CloudfrontOptions): Invalidator {
  const settings = purgeSettings('cloudfront', options, {
    distributionId: 'string',
    client: 'object',
    credentials: 'object or function',
    endpoint: 'string',
    perRequest: 'number',
  })
  const distribution = idOf('cloudfront', 'distributionId', options.distributionId)
  const perRequest = least('cloudfront', 'perRequest', options.perRequest ?? 1_000, 1)
  if (perRequest > MAX_PATHS) throw badOption('cloudfront', `perRequest must be at most ${MAX_PATHS}`)
  if (options.client !== undefined && (options.credentials ?? options.endpoint) !== undefined)
    throw badOption('cloudfront', 'the client has its own credentials and endpoint; give one of the two')
  const connect = connection(options)
  const bucket = new TokenBucket(RATE, settings.now)
  const limit = (count: number) =>
    ({ perRequest: Math.min(count, perRequest), bucket, costs: 'request' }) as const

  return batchedInvalidator(
    {
      name: 'cloudfront',
      limits: { url: limit(MAX_PATHS), prefix: limit(MAX_WILDCARDS), tag: limit(MAX_PATHS) },
      wildcardOf: path => (path.endsWith('*') ? path.slice(0, -1) : undefined),
      problem,
      async send(batch) {
        const { sdk, client } = await connect.open()
        const ends = deadline(
          { signal: batch.signal, timeoutMs: settings.requestTimeoutMs },
          'invalidate',
          'cloudfront',
        )
        try {
          const command = new sdk.CreateInvalidationCommand({
            DistributionId: distribution,
            InvalidationBatch: { CallerReference: batch.reference, Paths: pathsOf(batch) },
          })
          await client.send(command as never, { abortSignal: ends.signal })
          return NONE_FAILED
        } catch (thrown) {
          if (ends.signal?.aborted && !batch.signal?.aborted) throw lateAnswer(settings.requestTimeoutMs)
          throw cloudfrontError(thrown, settings.now()) ?? thrown
        } finally {
          ends.clear()
        }
      },
      close: () => connect.close(),
    },
    settings,
  )
}

/** The SDK and a client, made when they are first needed. */
function connection({ client, credentials, endpoint }: CloudfrontOptions) {
  let opened: ReturnType<typeof make> | undefined
  async function make() {
    const sdk = await loadPeer(
      () => import('@aws-sdk/client-cloudfront'),
      'cloudfront()',
      '@aws-sdk/client-cloudfront',
    )
    if (client !== undefined) return { sdk, client, own: undefined }
    // CloudFront's API is one for the world, in us-east-1. Tries are counted here, not in the SDK too.
    const own = new sdk.CloudFrontClient({ region: 'us-east-1', maxAttempts: 1, credentials, endpoint })
    return { sdk, client: own as CloudfrontClient, own }
  }
  return {
    open() {
      opened ??= make()
      opened.catch(() => (opened = undefined))
      return opened
    },
    async close() {
      const held = await opened?.catch(() => undefined)
      held?.own?.destroy()
      opened = undefined
    },
  }
}

/** In one order: CloudFront compares a repetition with what it has. */
function pathsOf({ kind, values }: PurgeBatch): { Quantity: number; Items: string[] } {
  const form = {
    url: (path: string) => path,
    prefix: (path: string) => `${path}*`,
    tag: (tag: string) => `#${tag}`,
  }
  const items = values.map(form[kind]).sort()
  return { Quantity: items.length, Items: items }
}

function problem({ kind, value }: Purge): string | undefined {
  if (kind !== 'tag')
    return value.length >= MAX_PATH_LENGTH ? `has ${MAX_PATH_LENGTH} characters or more` : undefined
  if (value.length > MAX_TAG_LENGTH) return `is longer than ${MAX_TAG_LENGTH} characters`
  return /[\s,]/.test(value) ? 'has a space or a comma' : undefined
}

function lateAnswer(ms: number): StorageError {
  return new StorageError('timeout', `invalidate: cloudfront gave no answer within ${ms} ms`, {
    operation: 'invalidate',
    provider: 'cloudfront',
  })
}
