import type { Capabilities, CapabilitySwitch } from './capabilities.ts'
import { assertConditions, versionProblem } from './conditions.ts'
import type { Driver } from './driver.ts'
import { invalidArgument, type StorageError, unsupported } from './errors.ts'
import { listing } from './list-pages.ts'
import type { Listing } from './listing.ts'
import { openDownload } from './open-download.ts'
import { Operations } from './operations.ts'
import type { CopyOptions, OperationOptions, ProbeOptions } from './options.ts'
import type { StorageProvider } from './provider.ts'
import type { DeleteResult, KeyResult, ObjectInfo, SignedUrl } from './results.ts'
import { runResumableUpload } from './run-resumable-upload.ts'
import { signRequest, signUploadRequest } from './sign-requests.ts'
import { abortUpload, type UnfinishedUploads, unfinishedUploads } from './unfinished-uploads.ts'
import { checkedAttributes, runUpload } from './upload.ts'

/**
 * Makes a provider of a driver. Everything that is the same for all stores happens here, once: see `driver.ts`.
 *
 * @example
 * ```ts
 * export const tape = (options: TapeOptions): StorageProvider => defineProvider(new TapeDriver(options))
 * ```
 */
export function defineProvider(driver: Driver): StorageProvider {
  return new DefinedProvider(driver)
}

class DefinedProvider implements StorageProvider {
  readonly #driver: Driver
  readonly #operations: Operations

  constructor(driver: Driver) {
    this.#driver = driver
    this.#operations = new Operations(driver)
  }

  get name() {
    return this.#driver.name
  }

  get location() {
    return this.#driver.location
  }

  get capabilities() {
    return this.#driver.capabilities
  }

  probe(options?: ProbeOptions): Promise<Capabilities> {
    return this.#operations.run('probe', undefined, options, async signal => {
      const names = Object.keys(this.capabilities) as CapabilitySwitch[]
      const wanted: unknown = options?.only ?? names
      if (!Array.isArray(wanted) || !wanted.every(name => names.includes(name)))
        throw invalidArgument('probe', this.name, 'only must be an array of names of capabilities')
      for (const name of wanted as readonly CapabilitySwitch[])
        if ((this.capabilities[name] as unknown) === 'unknown') await this.#driver.ask(name, signal)
      return this.capabilities
    })
  }

  upload: StorageProvider['upload'] = (key, body, options = {}) =>
    this.#operations.run('upload', key, options, async signal => {
      this.#operations.assertWritable('upload')
      return runUpload(this.#driver, key, body, options, this.#operations.own('upload', options), signal)
    })

  uploadResumable: StorageProvider['uploadResumable'] = (key, source, options = {}) =>
    this.#operations.run('uploadResumable', key, options, async signal => {
      this.#operations.assertWritable('uploadResumable')
      return runResumableUpload(this.#driver, key, source, options, signal)
    })

  download: StorageProvider['download'] = async (key, options = {}) => {
    this.#operations.check('download', options)
    this.#operations.assertKey(key, 'download')
    return openDownload(this.#driver, this.#operations, key, options)
  }

  info: StorageProvider['info'] = (key, options = {}) =>
    this.#operations.run('info', key, options, async signal => {
      const { ifMatch, ifNoneMatch } = options
      await assertConditions(this.#driver, 'info', { ifMatch, ifNoneMatch }, signal)
      return this.#driver.head({ key, ifMatch, ifNoneMatch, signal })
    })

  infoMany: StorageProvider['infoMany'] = (keys, options) => {
    const { headMany } = this.#driver
    return this.#operations.many<KeyResult<ObjectInfo>>(
      'infoMany',
      keys,
      options,
      headMany?.batchSize ?? 1,
      async (entries, signal) => {
        if (headMany !== undefined)
          return headMany.ask(
            entries.map(entry => entry.key),
            signal,
          )
        const { key } = entries[0]!
        return [{ key, ok: true, value: await this.#head(key, signal) }]
      },
      failedResult,
    )
  }

  exists: StorageProvider['exists'] = (key, options) =>
    this.#operations.run('exists', key, options, async signal => {
      try {
        await this.#head(key, signal)
        return true
      } catch (error) {
        const known = this.#operations.error(error, 'exists', key, signal)
        if (known.code === 'not-found' && known.resource === undefined) return false
        throw known
      }
    })

  list: StorageProvider['list'] = (options = {}): Listing => {
    this.#operations.check('list', options)
    return listing(this.#driver, options, (work, pageOptions) =>
      this.#operations.run('list', undefined, { ...commonOf(options), ...commonOf(pageOptions) }, work),
    )
  }

  copy: StorageProvider['copy'] = (from, to, options) => this.#transfer('copy', from, to, options)
  move: StorageProvider['move'] = (from, to, options) => this.#transfer('move', from, to, options)

  delete: StorageProvider['delete'] = (key, options = {}) =>
    this.#operations.run('delete', key, options, async signal => {
      this.#operations.assertWritable('delete')
      const { ifMatch, versionId } = options
      const own = this.#operations.own('delete', options)
      await assertConditions(this.#driver, 'delete', { ifMatch }, signal)
      const problem = versionProblem(this.#driver, 'delete', { key, versionId, ifMatch })
      if (problem !== undefined) throw problem
      const result = await this.#driver.remove({ key, ifMatch, versionId, own, signal })
      if (result.status === 'error') throw result.error
      return result
    })

  deleteMany: StorageProvider['deleteMany'] = async (keys, options) => {
    this.#operations.assertWritable('deleteMany')
    const { deleteBatchSize } = this.#driver
    const own = this.#operations.own('deleteMany', options)
    return this.#operations.many<DeleteResult>(
      'deleteMany',
      keys,
      options,
      deleteBatchSize,
      (batch, signal) => this.#driver.removeMany(batch, { own, signal }),
      (key, error) => ({ key, status: 'error', error }),
      entry => versionProblem(this.#driver, 'deleteMany', entry),
    )
  }

  signedUrl: StorageProvider['signedUrl'] = (key, options) =>
    this.#operations.run('signedUrl', key, options, async signal => {
      const [result] = await this.#driver.signMany(
        [key],
        signRequest(this.#driver, 'signedUrl', options, signal),
      )
      if (!result!.ok) throw result!.error
      return result!.value
    })

  signedUrls: StorageProvider['signedUrls'] = async (keys, options) => {
    this.#operations.check('signedUrls', options)
    const request = signRequest(this.#driver, 'signedUrls', options, undefined)
    const common = commonOf(options)
    return this.#operations.many<KeyResult<SignedUrl>>(
      'signedUrls',
      keys,
      common,
      this.#driver.signBatchSize,
      (batch, signal) =>
        this.#driver.signMany(
          batch.map(({ key }) => key),
          { ...request, signal },
        ),
      failedResult,
    )
  }

  signedUpload: StorageProvider['signedUpload'] = (key, options) =>
    this.#operations.run('signedUpload', key, options, async signal => {
      this.#operations.assertWritable('signedUpload')
      const own = this.#operations.own('signedUpload', options)
      return this.#driver.signUpload({ ...signUploadRequest(this.#driver, key, options, signal), own })
    })

  publicUrl(key: string): string {
    this.#operations.assertOpen('publicUrl')
    this.#operations.assertKey(key, 'publicUrl')
    if (!this.capabilities.publicUrl)
      throw unsupported(
        'publicUrl',
        this.name,
        'this provider has no public address; local and memory storage have one with the option signing',
      )
    return this.#driver.publicUrl(key)
  }

  unfinishedUploads: StorageProvider['unfinishedUploads'] = (options = {}): UnfinishedUploads => {
    this.#operations.check('unfinishedUploads', options)
    const common = commonOf(options)
    return unfinishedUploads(this.#driver, options, work =>
      this.#operations.run('unfinishedUploads', undefined, common, work),
    )
  }

  abortUpload: StorageProvider['abortUpload'] = (key, uploadId, options) =>
    this.#operations.run('abortUpload', key, options, async signal => {
      this.#operations.assertWritable('abortUpload')
      return abortUpload(this.#driver, key, uploadId, signal)
    })

  clock: StorageProvider['clock'] = options =>
    this.#operations.run('clock', undefined, options, signal => this.#driver.clock(signal))

  close(): Promise<void> {
    return this.#operations.close()
  }

  #transfer(operation: 'copy' | 'move', from: string, to: string, options: CopyOptions = {}) {
    return this.#operations.run(operation, from, options, async signal => {
      this.#operations.assertWritable(operation)
      this.#operations.assertKey(to, operation)
      const attributes = checkedAttributes(this.#driver, options, operation)
      const { ifNoneMatch, ifMatch } = options
      const own = this.#operations.own(operation, options)
      await assertConditions(this.#driver, operation, { ifNoneMatch, ifMatch }, signal)
      return this.#driver[operation]({ from, to, attributes, ifNoneMatch, ifMatch, own, signal })
    })
  }

  #head(key: string, signal: AbortSignal | undefined): Promise<ObjectInfo> {
    return this.#driver.head({ key, ifMatch: undefined, ifNoneMatch: undefined, signal })
  }
}

function failedResult(key: string, error: StorageError): { key: string; ok: false; error: StorageError } {
  return { key, ok: false, error }
}

function commonOf(options: OperationOptions = {}): OperationOptions {
  const { signal, timeoutMs } = options
  return { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) }
}
