import type {
  S3Client,
  LifecycleRule as SdkRule,
  TransitionDefaultMinimumObjectSize,
} from '@aws-sdk/client-s3'
import type { BucketLifecycle } from '../../core/bucket-lifecycle.ts'
import { toStorageError } from '../../core/translate.ts'
import { S3Connection } from './connection.ts'
import { translate } from './errors.ts'
import { checkedSettings, type S3Options } from './options.ts'
import type { S3Sdk } from './peers.ts'
import { calmClient } from './sdk-calls.ts'

/**
 * The lifecycle rules of a bucket, read and written as they are: what `planLifecycle` and `checkLifecycle` of
 * `stowage/lifecycle` work on. Takes the options of `s3()`, and needs the right to
 * `s3:GetLifecycleConfiguration` and `s3:PutLifecycleConfiguration`.
 *
 * @throws `invalid-argument` for an unknown option or a missing bucket
 * @example
 * ```ts
 * const lifecycle = bucketLifecycle({ bucket: 'photos', region: 'eu-central-1' })
 * for (const rule of (await lifecycle.read()).rules) console.log(rule.ID, rule.Status)
 * await lifecycle.close()
 * ```
 */
export function bucketLifecycle(options: S3Options): BucketLifecycle {
  const settings = checkedSettings(options)
  const connection = new S3Connection(options, settings)
  const Bucket = settings.bucket
  let client: S3Client | undefined

  async function run<T>(
    operation: string,
    signal: AbortSignal | undefined,
    work: (sdk: S3Sdk, client: S3Client) => Promise<T>,
  ): Promise<T> {
    try {
      const { dispatcher } = await connection.link()
      const known = await connection.sdk()
      client ??= calmClient(known.client, dispatcher)
      return await work(known.sdk, client)
    } catch (error) {
      const details = {
        operation,
        provider: 's3',
        signal,
        translate: (thrown: unknown) => translate(thrown, settings.now()),
      }
      throw toStorageError(error, details)
    }
  }

  return {
    bucket: Bucket,

    read({ signal } = {}) {
      return run('readLifecycle', signal, async ({ GetBucketLifecycleConfigurationCommand }, s3) => {
        const command = new GetBucketLifecycleConfigurationCommand({ Bucket })
        try {
          const answer = await s3.send(command, { abortSignal: signal })
          const minimumSize = answer.TransitionDefaultMinimumObjectSize
          return { rules: answer.Rules ?? [], ...(minimumSize === undefined ? {} : { minimumSize }) }
        } catch (error) {
          if ((error as Error).name === 'NoSuchLifecycleConfiguration') return { rules: [] }
          throw error
        }
      })
    },

    write({ rules, minimumSize }, { signal } = {}) {
      return run('writeLifecycle', signal, async (sdk, s3) => {
        if (rules.length === 0) {
          await s3.send(new sdk.DeleteBucketLifecycleCommand({ Bucket }), { abortSignal: signal })
          return
        }
        const command = new sdk.PutBucketLifecycleConfigurationCommand({
          Bucket,
          LifecycleConfiguration: { Rules: rules as SdkRule[] },
          // Left out it would fall back to the default.
          ...(minimumSize === undefined
            ? {}
            : { TransitionDefaultMinimumObjectSize: minimumSize as TransitionDefaultMinimumObjectSize }),
        })
        await s3.send(command, { abortSignal: signal })
      })
    },

    close: () => connection.close(),
  }
}
