import { defineProvider } from '../../core/define-provider.ts'
import type { StorageProvider } from '../../core/provider.ts'
import { LocalDriver } from './local-driver.ts'
import type { LocalOptions } from './local-options.ts'

/**
 * Objects as files of a folder: `a/photo.jpg` is the file `<root>/a/photo.jpg`, its bytes and nothing else, so that
 * other tools can read it; files that they put there are objects, too. Many processes may share a root.
 *
 * How attributes stay with their bytes, and how odd keys are named: `docs/decisions/local-layout.md`.
 *
 * @example
 * ```ts
 * const files = local({ root: './data' })
 * await files.upload('a/photo.jpg', createReadStream('photo.jpg'))
 * ```
 */
export function local(options: LocalOptions): StorageProvider {
  return defineProvider(new LocalDriver(options))
}
