import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BucketLifecycle } from '../../../core/bucket-lifecycle.ts'
import { isStorageError } from '../../../core/errors.ts'
import { type LifecyclePolicy, lifecyclePolicy } from '../../../lifecycle/index.ts'
import { s3OptionsOf } from '../../../open/s3-options.ts'
import { parseStoreUrl } from '../../../open/store-url.ts'
import { UsageError } from '../../exit-codes.ts'
import type { Terminal } from '../../terminal.ts'

/** Works on the lifecycle rules of the bucket of a URL, and closes it. */
export async function withBucketLifecycle<Result>(
  { env }: Terminal,
  url: string,
  work: (lifecycle: BucketLifecycle) => Promise<Result>,
): Promise<Result> {
  const store = parseStoreUrl(url)
  if (store.kind !== 's3') throw new UsageError('lifecycle rules are of S3 buckets: name one, as s3://bucket')
  const { bucketLifecycle } = await import('../../../adapters/s3/index.ts')
  const lifecycle = bucketLifecycle(s3OptionsOf(store, env))
  try {
    return await work(lifecycle)
  } finally {
    await lifecycle.close()
  }
}

/** The URL of the whole bucket, and what stood behind it. */
export function bucketUrl(url: string): { readonly bucket: string; readonly prefix: string } {
  const { kind, prefix } = parseStoreUrl(url)
  if (prefix === '') return { bucket: url, prefix }
  return { bucket: url.replace(new RegExp(`^(${kind}://[^/?]+)/[^?]*`, 'i'), '$1'), prefix }
}

/** A policy as JSON, or as a module that exports it: `export default { … }`. */
export async function readPolicy(path: string): Promise<LifecyclePolicy> {
  const policy = /\.[cm]?js$/.test(path)
    ? (await import(pathToFileURL(resolve(path)).href)).default
    : await readJson(path, 'policy')
  try {
    return lifecyclePolicy(policy)
  } catch (error) {
    if (isStorageError(error, 'invalid-argument'))
      throw new UsageError(`${path}: ${error.message.replace('lifecyclePolicy: ', '')}`)
    throw error
  }
}

export async function readJson(path: string, what: string): Promise<unknown> {
  const text = await readFile(path, 'utf8')
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${path}: the ${what} is no JSON`)
  }
}
