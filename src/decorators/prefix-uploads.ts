import type { UnfinishedUploadsOptions } from '../core/options.ts'
import type { StorageProvider } from '../core/provider.ts'
import { type UnfinishedUploads, unfinishedUploadsOf } from '../core/unfinished-uploads.ts'

/** The unfinished uploads of `inner` to keys under `base`, which nobody sees. */
export function prefixedUploads(
  inner: StorageProvider,
  base: string,
  options: UnfinishedUploadsOptions | undefined,
  clean: (error: unknown) => unknown,
): UnfinishedUploads {
  const uploads = cleanly(() => inner.unfinishedUploads(fullOptions(options, base)))
  return unfinishedUploadsOf(async function* () {
    try {
      for await (const page of uploads.pages())
        yield page.map(upload => ({ ...upload, key: upload.key.slice(base.length) }))
    } catch (error) {
      throw clean(error)
    }
  })

  function cleanly<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw clean(error)
    }
  }
}

function fullOptions(
  options: UnfinishedUploadsOptions | undefined,
  base: string,
): UnfinishedUploadsOptions | undefined {
  if (options !== undefined && (typeof options !== 'object' || options === null)) return options
  const { prefix = '', startAfter } = options ?? {}
  // What is no string stays what it is, and is refused by `inner`.
  const full = (text: string) => (typeof text === 'string' ? base + text : text)
  return {
    ...options,
    prefix: full(prefix),
    ...(startAfter === undefined ? {} : { startAfter: full(startAfter) }),
  }
}
