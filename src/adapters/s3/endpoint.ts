import type { S3Client } from '@aws-sdk/client-s3'
import { StorageError } from '../../core/errors.ts'
import type { S3CommonOptions, S3ConnectionOptions } from './options.ts'
import type { S3Sdk } from './peers.ts'

/** Where the bucket is and how requests to it are signed. */
export interface Endpoint {
  readonly protocol: 'http:' | 'https:'
  readonly hostname: string
  readonly port: number | undefined
  /** As the `host` header has it. */
  readonly host: string
  readonly origin: string
  /** What stands before `/key`: empty where the bucket is part of the host name. */
  readonly basePath: string
  /** Path of requests about the bucket. */
  readonly bucketPath: string
  readonly signingRegion: string
  readonly signingName: string
}

interface CapturedRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
}

interface AuthScheme {
  readonly name?: string
  readonly signingRegion?: string
  readonly signingName?: string
}

/** Other servers than AWS have one region, and most call it this; AWS's has to be known. */
export const DEFAULT_REGION = 'us-east-1'

/** A key that needs no encoding, to be cut off the path again. */
const SAMPLE_KEY = 'k'

/**
 * Asks the client itself where it would send a request, by stopping one just before it is signed: custom
 * endpoints, path style, dual stack, FIPS, access points and the environment need no second implementation.
 */
export async function resolveEndpoint(sdk: S3Sdk, client: S3Client, bucket: string): Promise<Endpoint> {
  let captured: CapturedRequest | undefined
  let scheme: AuthScheme | undefined
  const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: SAMPLE_KEY })
  command.middlewareStack.add(
    (_, context) => async args => {
      captured = args.request as CapturedRequest
      const { endpointV2 } = context as { endpointV2?: { properties?: { authSchemes?: AuthScheme[] } } }
      scheme = endpointV2?.properties?.authSchemes?.[0]
      return { response: undefined, output: { $metadata: {} } }
    },
    { step: 'finalizeRequest', priority: 'high', name: 'stowageEndpoint', override: true },
  )
  await client.send(command)
  if (captured === undefined) throw new Error('the S3 client has built no request')
  if (scheme?.name !== undefined && scheme.name !== 'sigv4') {
    throw new StorageError(
      'unsupported',
      `the bucket needs signatures of kind ${scheme.name} (multi-region access points, directory buckets); name an ordinary bucket`,
    )
  }
  const { protocol, hostname, port, path } = captured
  const basePath = path.slice(0, -`/${SAMPLE_KEY}`.length)
  const host = port === undefined ? hostname : `${hostname}:${port}`
  return {
    protocol: protocol as Endpoint['protocol'],
    hostname,
    port,
    host,
    origin: `${protocol}//${host}`,
    basePath,
    bucketPath: basePath === '' ? '/' : basePath,
    signingRegion: scheme?.signingRegion ?? (await client.config.region()),
    signingName: scheme?.signingName ?? 's3',
  }
}

/** Names that stand in a path as they are; an ARN or an alias is the client's to read. */
const PLAIN_BUCKET = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/

/** The same without asking, where a server is named by its address and the bucket stands in the path: nothing else can change it. */
export function plainEndpoint(
  options: S3ConnectionOptions & Pick<S3CommonOptions, 'bucket'>,
): Endpoint | undefined {
  const { bucket, endpoint, forcePathStyle, region = DEFAULT_REGION } = options
  if (endpoint === undefined || forcePathStyle !== true || typeof region !== 'string') return undefined
  if (options.useAccelerateEndpoint || options.useDualstackEndpoint || options.useFipsEndpoint)
    return undefined
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const isPlain = url?.pathname === '/' && `${url.search}${url.hash}${url.username}${url.password}` === ''
  if (url === undefined || !isPlain || !PLAIN_BUCKET.test(bucket)) return undefined
  const { protocol, hostname, port, host, origin } = url
  return {
    protocol: protocol as Endpoint['protocol'],
    hostname,
    port: port === '' ? undefined : Number(port),
    host,
    origin,
    basePath: `/${bucket}`,
    bucketPath: `/${bucket}`,
    signingRegion: region,
    signingName: 's3',
  }
}
