import { defineProvider } from '../../core/define-provider.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { UrlSigning } from '../../core/url-token.ts'
import { LocalDriver } from './local-driver.ts'

export interface LocalOptions {
  /** The folder that holds the objects. Made by the first upload. */
  root: string
  /** Makes signed URLs possible: give the same to the server. */
  signing?: UrlSigning
  /**
   * What an upload that has returned survives. `full`: a power cut; every file and folder is synced (fsync).
   * `process`: the end of the process, not of the machine. All or nothing and readable by its own attributes is an
   * object either way, but for a power cut under `process`. Default: `full`.
   */
  durability?: 'full' | 'process'
  /** Milliseconds since 1970: for the times of objects and the expiry of URLs. Default: `Date.now`. */
  now?: () => number
}

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
