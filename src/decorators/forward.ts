import type { StorageProvider } from '../core/provider.ts'

/**
 * The only list of every method: `inner` with some of them replaced. A method that is added to the contract and
 * forgotten here is a compile error. Name and capabilities stay live: a probe's answers are seen through it.
 */
export function forward(inner: StorageProvider, changes: Partial<StorageProvider> = {}): StorageProvider {
  const all: StorageProvider = {
    get name() {
      return inner.name
    },
    get capabilities() {
      return inner.capabilities
    },
    probe: options => inner.probe(options),
    upload: (key, body, options) => inner.upload(key, body, options),
    download: (key, options) => inner.download(key, options),
    info: (key, options) => inner.info(key, options),
    infoMany: (keys, options) => inner.infoMany(keys, options),
    exists: (key, options) => inner.exists(key, options),
    list: options => inner.list(options),
    copy: (from, to, options) => inner.copy(from, to, options),
    move: (from, to, options) => inner.move(from, to, options),
    delete: (key, options) => inner.delete(key, options),
    deleteMany: (keys, options) => inner.deleteMany(keys, options),
    signedUrl: (key, options) => inner.signedUrl(key, options),
    signedUrls: (keys, options) => inner.signedUrls(keys, options),
    signedUpload: (key, options) => inner.signedUpload(key, options),
    publicUrl: key => inner.publicUrl(key),
    close: () => inner.close(),
  }
  return Object.defineProperties(all, Object.getOwnPropertyDescriptors(changes)) as StorageProvider
}
