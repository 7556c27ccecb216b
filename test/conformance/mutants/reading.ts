import { memory } from '../../../src/adapters/memory.ts'
import { Download } from '../../../src/core/download.ts'
import { StorageError } from '../../../src/core/errors.ts'
import type { DownloadOptions } from '../../../src/core/options.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { downloadOf, type Mutant, soundContext, wrong } from './mutant.ts'

async function bytesOf(files: StorageProvider, key: string, options?: DownloadOptions): Promise<Uint8Array> {
  return (await files.download(key, options)).bytes()
}

function shortUnderCuts(): Mutant {
  return {
    title: 'takes the half of a body for the whole when the connection breaks',
    caughtBy: ['read/cut-in-the-body'],
    context: {
      ...soundContext(),
      async createCut(key, bytes) {
        const inner = memory()
        await inner.upload(key, bytes)
        return forward(inner, {
          download: async name => downloadOf(await inner.download(name), bytes.subarray(0, 70_000)),
        })
      },
    },
  }
}

export const READING_MUTANTS: readonly Mutant[] = [
  shortUnderCuts(),
  wrong('loses the last byte', ['read/whole', 'write/every-kind-of-body'], inner => ({
    async download(key, options) {
      const download = await inner.download(key, options)
      const bytes = await bytesOf(inner, key, options)
      return downloadOf(download, bytes.subarray(0, -1))
    },
  })),
  wrong('reads ranges with an exclusive end', ['read/a-middle', 'read/one-byte'], inner => ({
    download(key, options = {}) {
      const { range } = options
      if (typeof range !== 'object' || !('start' in range) || range.end === undefined)
        return inner.download(key, options)
      const length = Math.max(0, range.end - range.start)
      return inner.download(key, { ...options, range: { offset: range.start, length } })
    },
  })),
  wrong('takes the last 0 bytes for all', ['read/suffix-0'], inner => ({
    download(key, { range, ...options } = {}) {
      const all = typeof range === 'object' && 'suffix' in range && range.suffix === 0
      return inner.download(key, { ...options, ...(all || range === undefined ? {} : { range }) })
    },
  })),
  wrong('gives nothing for a range past the end', ['read/start-past-end'], inner => ({
    download: (key, options) =>
      inner.download(key, options).catch(error => {
        if (error.status !== 416) throw error
        return inner.download(key, { range: { suffix: 0 } })
      }),
  })),
  wrong(
    'reports the size of the range as that of the object',
    ['read/range-reports-whole-object', 'read/suffix'],
    inner => ({
      async download(key, options = {}) {
        const download = await inner.download(key, options)
        if (options.range === undefined) return download
        const bytes = await bytesOf(inner, key, options)
        const { offset } = download.range!
        download.cancel()
        const source = {
          async *chunks() {
            yield bytes
          },
          cancel() {},
        }
        const info = { ...download.info, size: bytes.length }
        return new Download({ info, span: { offset, length: bytes.length }, source })
      },
    }),
  ),
  wrong('takes an empty object for a missing one', ['read/empty-is-not-missing', 'write/empty'], inner => ({
    async download(key, options) {
      const download = await inner.download(key, options)
      if (download.info.size > 0) return download
      throw new StorageError('not-found', 'download: nothing there', { operation: 'download', key })
    },
  })),
  wrong('throws an error of its own', ['read/missing', 'calls/errors-name-their-call'], inner => ({
    info: (key, options) =>
      inner.info(key, options).catch(() => {
        throw new Error('NoSuchKey')
      }),
  })),
  wrong('forgets the key in its errors', ['read/missing'], inner => ({
    download: (key, options) =>
      inner.download(key, options).catch(error => {
        throw new StorageError(error.code, error.message, { operation: 'download', status: error.status })
      }),
  })),
  wrong(
    'takes every failure of exists for a missing object',
    ['calls/aborted-before', 'keys/empty-is-refused'],
    inner => ({
      exists: (key, options) => inner.exists(key, options).catch(() => false),
    }),
  ),
  wrong('frees no connection of a body that is closed early', ['read/closed-early'], inner => {
    let open = 0
    return {
      async download(key, options) {
        if (open >= 50) await new Promise(() => {})
        open++
        const download = await inner.download(key, options)
        const bytes = await bytesOf(inner, key, options)
        const source = {
          async *chunks() {
            for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
            open--
          },
          cancel() {},
        }
        return new Download({
          info: download.info,
          ...(download.range ? { span: download.range } : {}),
          source,
        })
      },
    }
  }),
  wrong(
    'reads on from the new object when the old one is overwritten',
    ['read/overwritten-meanwhile'],
    inner => ({
      async download(key, options) {
        const download = await inner.download(key, options)
        if (options?.range !== undefined) return download
        const { size } = download.info
        download.cancel()
        const source = {
          async *chunks() {
            for (let offset = 0; offset < size; offset += 65_536)
              yield await bytesOf(inner, key, { range: { offset, length: 65_536 } })
          },
          cancel() {},
        }
        return new Download({ info: download.info, source })
      },
    }),
  ),
  wrong('ignores a signal while a body is read', ['read/aborted'], inner => ({
    async download(key, options = {}) {
      const { signal, ...others } = options
      if (signal?.aborted) return inner.download(key, options)
      return inner.download(key, others)
    },
  })),
  wrong('ignores ifNoneMatch when reading', ['conditional/download', 'conditional/info'], inner => ({
    download: (key, { ifNoneMatch: _, ...options } = {}) => inner.download(key, options),
    info: (key, { ifNoneMatch: _, ...options } = {}) => inner.info(key, options),
  })),
  wrong('tells no time of change', ['info/attributes'], inner => ({
    async info(key, options) {
      const { lastModified: _, ...info } = await inner.info(key, options)
      return info
    },
  })),
  wrong('reports the sum of other bytes', ['info/checksum', 'info/checksum-always'], inner => ({
    async info(key, options) {
      const info = await inner.info(key, options)
      return { ...info, checksum: { ...info.checksum!, value: info.checksum!.value.replace(/^./, '0') } }
    },
  })),
  wrong('answers infoMany out of order', ['info/many-in-order'], inner => ({
    infoMany: async (keys, options) => (await inner.infoMany(keys, options)).reverse(),
  })),
]
