import type { Capabilities, CapabilitySwitch, SignedMethod } from '../core/capabilities.ts'
import type { StorageProvider } from '../core/provider.ts'
import { equal, fails, sameBytes } from './assertions.ts'
import type { Scope } from './scope.ts'

/** What a case may need of a provider. */
export type CapabilityNeed =
  | Exclude<CapabilitySwitch, 'deleteReportsMissing' | 'checksumAlways'>
  | 'signedUrl'
  | `signedUrl:${SignedMethod}`
  | 'signedUpload'
  | 'signedUpload:size'
  | 'signedUpload:maxSize'
  | 'signedUpload:contentType'

interface NeedRule {
  has(capabilities: Capabilities): boolean
  /** What asks for it, in every way there is: each must throw `unsupported` where `has` is false. */
  ask(files: StorageProvider, key: string, etag: string): (() => unknown)[]
}

const OTHER_ETAG = 'another-etag'

function attribute(
  name: 'cacheControl' | 'contentDisposition' | 'contentEncoding' | 'contentLanguage' | 'storageClass',
  value: string,
): NeedRule {
  return {
    has: can => can[name],
    ask: (files, key) => [
      () => files.upload(key, 'new', { [name]: value }),
      ...(files.capabilities.writable ? [() => files.copy(key, key, { [name]: value })] : []),
    ],
  }
}

function signing(method: SignedMethod): NeedRule {
  return {
    has: can => can.signedUrl !== false && can.signedUrl.methods.includes(method),
    ask: (files, key) => [() => files.signedUrl(key, { expiresIn: 60, method })],
  }
}

function signedUploadOption(option: 'size' | 'maxSize' | 'contentType', value: unknown): NeedRule {
  return {
    has: can => can.signedUpload !== false && can.signedUpload[option],
    ask: (files, key) => {
      const able = files.capabilities.signedUpload
      const lifetime = able !== false && !able.choosesExpiry ? {} : { expiresIn: 60 }
      return [() => files.signedUpload(key, { ...lifetime, [option]: value })]
    },
  }
}

export const CAPABILITY_NEEDS: Record<CapabilityNeed, NeedRule> = {
  writable: {
    has: can => can.writable,
    ask: (files, key) => [
      () => files.upload(key, 'new'),
      () => files.copy(key, `${key}-copy`),
      () => files.move(key, `${key}-moved`),
      () => files.delete(key),
      () => files.deleteMany([key]),
      () => files.abortUpload(key, 'an-upload'),
      () => files.uploadResumable(key, { size: 3, read: async () => Buffer.from('new') }),
      () => files.signedUpload(key, { expiresIn: 60, maxSize: 10 }),
    ],
  },
  createOnly: {
    has: can => can.createOnly === true,
    ask: (files, key) => [
      () => files.upload(key, 'new', { ifNoneMatch: '*' }),
      () => files.upload(`${key}-new`, 'new', { ifNoneMatch: '*' }),
    ],
  },
  conditionalReplace: {
    has: can => can.conditionalReplace === true,
    ask: (files, key, etag) => [
      () => files.upload(key, 'new', { ifMatch: etag }),
      () => files.upload(key, 'new', { ifMatch: OTHER_ETAG }),
    ],
  },
  conditionalRead: {
    has: can => can.conditionalRead === true,
    ask: (files, key, etag) => [
      () => files.download(key, { ifMatch: etag }),
      () => files.download(key, { ifNoneMatch: OTHER_ETAG }),
      () => files.info(key, { ifMatch: etag }),
      () => files.info(key, { ifNoneMatch: OTHER_ETAG }),
    ],
  },
  conditionalCopySource: {
    has: can => can.conditionalCopySource === true,
    ask: (files, key, etag) => [
      () => files.copy(key, `${key}-copy`, { ifMatch: etag }),
      () => files.move(key, `${key}-moved`, { ifMatch: etag }),
    ],
  },
  createOnlyCopy: {
    has: can => can.createOnlyCopy === true,
    ask: (files, key) => [
      () => files.copy(key, `${key}-copy`, { ifNoneMatch: '*' }),
      () => files.move(key, `${key}-moved`, { ifNoneMatch: '*' }),
    ],
  },
  conditionalDelete: {
    has: can => can.conditionalDelete === true,
    ask: (files, key, etag) => [
      () => files.delete(key, { ifMatch: OTHER_ETAG }),
      () => files.delete(key, { ifMatch: etag }),
    ],
  },
  versionedDelete: {
    has: can => can.versionedDelete,
    ask: (files, key) => [
      () => files.delete(key, { versionId: 'v1' }),
      async () => {
        const [result] = await files.deleteMany([{ key, versionId: 'v1' }])
        if (result?.status === 'error') throw result.error
      },
    ],
  },
  unfinishedUploads: {
    has: can => can.unfinishedUploads,
    ask: (files, key) => [
      async () => {
        for await (const _ of files.unfinishedUploads({ prefix: key })) return
      },
      () => files.abortUpload(key, 'an-upload'),
    ],
  },
  resumableUpload: {
    has: can => can.resumableUpload,
    ask: (files, key) => [
      () => files.uploadResumable(key, { size: 3, read: async () => Buffer.from('new') }),
    ],
  },
  metadata: {
    has: can => can.metadata,
    ask: (files, key) => [() => files.upload(key, 'new', { metadata: { name: 'value' } })],
  },
  cacheControl: attribute('cacheControl', 'max-age=60'),
  contentDisposition: attribute('contentDisposition', 'attachment'),
  contentEncoding: attribute('contentEncoding', 'gzip'),
  contentLanguage: attribute('contentLanguage', 'de'),
  storageClass: attribute('storageClass', 'STANDARD'),
  publicUrl: { has: can => can.publicUrl, ask: (files, key) => [() => files.publicUrl(key)] },
  signedUrl: {
    has: can => can.signedUrl !== false,
    ask: (files, key) => [
      () => files.signedUrl(key, { expiresIn: 60 }),
      () => files.signedUrls([key], { expiresIn: 60 }),
    ],
  },
  'signedUrl:GET': signing('GET'),
  'signedUrl:HEAD': signing('HEAD'),
  'signedUrl:PUT': signing('PUT'),
  'signedUrl:DELETE': signing('DELETE'),
  signedUpload: {
    has: can => can.signedUpload !== false,
    ask: (files, key) => [() => files.signedUpload(key, { expiresIn: 60, maxSize: 10 })],
  },
  'signedUpload:size': signedUploadOption('size', 3),
  'signedUpload:maxSize': signedUploadOption('maxSize', 3),
  'signedUpload:contentType': signedUploadOption('contentType', 'text/plain'),
}

/**
 * The other half of a capability: what is declared missing must be refused as `unsupported`, by every method that
 * could ask for it, with everything left as it was. A store that does it nevertheless keeps what it does not claim.
 */
export async function refusesMissing(need: CapabilityNeed, scope: Scope): Promise<void> {
  const { files } = scope
  const key = scope.key('refused.txt')
  const before = await scope.put(key, 'as it was')
  const names = await scope.names()
  const asks = CAPABILITY_NEEDS[need].ask(files, key, before.etag ?? OTHER_ETAG)
  for (const [index, ask] of asks.entries()) {
    await fails(ask, 'unsupported', `way ${index + 1} to ask for '${need}', which is declared missing,`)
    sameBytes(await scope.bytes(key), Buffer.from('as it was'), `object after '${need}' was refused`)
    equal(await scope.names(), names, `keys after '${need}' was refused`)
  }
}
