/** S3 and servers that speak like it. */
import { defineProvider } from '../../core/define-provider.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { S3Options } from './options.ts'
import { S3Driver } from './s3-driver.ts'

export type {
  BucketLifecycle,
  LifecycleConfiguration,
  LifecycleFilter,
  LifecycleRule,
  LifecycleTransition,
} from '../../core/bucket-lifecycle.ts'
export { bucketLifecycle } from './bucket-lifecycle.ts'
export type {
  S3ClientOption,
  S3CommonOptions,
  S3ConnectionOptions,
  S3DeclaredCapabilities,
  S3Options,
} from './options.ts'

/**
 * A provider over one bucket of AWS S3, MinIO, versitygw, Supabase's S3 endpoint and their like. Needs the packages
 * `@aws-sdk/client-s3 @aws-sdk/s3-request-presigner undici`.
 *
 * @throws `invalid-argument` for an unknown option or a missing bucket
 * @example
 * ```ts
 * const files = s3({ bucket: 'photos', region: 'eu-central-1' })
 * const local = s3({
 *   bucket: 'photos',
 *   region: 'us-east-1',
 *   endpoint: 'http://127.0.0.1:9000',
 *   forcePathStyle: true,
 *   credentials: { accessKeyId: 'minio', secretAccessKey: 'minio-secret' },
 * })
 * const yours = s3({ bucket: 'photos', client: new S3Client({ region: 'eu-central-1' }) })
 * ```
 */
export function s3(options: S3Options): StorageProvider {
  return defineProvider(new S3Driver(options))
}
