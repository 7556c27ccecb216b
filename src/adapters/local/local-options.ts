import { StorageError } from '../../core/errors.ts'
import type { UrlSigning } from '../../core/url-token.ts'

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

/** @throws `invalid-argument` */
export function assertLocalOptions(options: LocalOptions): void {
  const refuse = (problem: string) =>
    new StorageError('invalid-argument', `local: ${problem}`, { provider: 'local' })
  if (typeof options !== 'object' || options === null) throw refuse('options must be an object with a root')
  const { root, durability, now, signing: _, ...unknown } = options
  const [name] = Object.keys(unknown)
  if (name !== undefined) throw refuse(`unknown option '${name}'; known are root, signing, durability, now`)
  if (typeof root !== 'string' || root === '' || root.includes('\0'))
    throw refuse('root must be the path of a folder')
  if (durability !== undefined && durability !== 'full' && durability !== 'process')
    throw refuse("durability can be 'full' or 'process'")
  if (now !== undefined && typeof now !== 'function') throw refuse('now must be a function')
}
