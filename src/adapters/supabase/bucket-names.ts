import { randomBytes } from 'node:crypto'
import { StorageError } from '../../core/errors.ts'
import { ANY_KEY, encodeKey, type KeyRules } from '../../core/keys.ts'
import { ALLOWED_NAME, escapeKey, escapePrefix, unescapeKey } from './key-encoding.ts'
import type { Settings } from './options.ts'

/** The server appends a version to the key and S3 takes 1,024 bytes of both: 900 pass, 1,000 have been refused. */
const MAX_NAME_BYTES = 900
/** File systems, and MinIO, which keeps its objects on one. */
const MAX_SEGMENT_BYTES = 255
/** Objects that are on their way, and what Supabase's dashboard leaves in a folder that was emptied. */
const HIDDEN = /(?:^|\/)(?:\.stowage-temp-[0-9a-f]{32}|\.emptyFolderPlaceholder)$/

/** Keys of the caller and the names that they have in the bucket. */
export class BucketNames {
  readonly rules: KeyRules
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
    this.rules = {
      ...ANY_KEY,
      maxBytes: MAX_NAME_BYTES,
      maxSegmentBytes: MAX_SEGMENT_BYTES,
      emptySegments: false,
      ...(settings.escapeKeys ? {} : { allowed: ALLOWED_NAME }),
    }
  }

  /** @throws `invalid-key` where the escaped key is too long */
  nameOf(key: string): string {
    if (!this.#settings.escapeKeys) return key
    const name = escapeKey(key)
    const long =
      name.length > MAX_NAME_BYTES ? name : name.split('/').find(part => part.length > MAX_SEGMENT_BYTES)
    if (long === undefined) return name
    throw new StorageError(
      'invalid-key',
      `the key ${JSON.stringify(key.slice(0, 80))} is too long: escaped it has ${long === name ? '' : 'a segment of '}${long.length} characters, and Supabase takes ${MAX_NAME_BYTES}, ${MAX_SEGMENT_BYTES} between two slashes`,
      { key },
    )
  }

  /**
   * The key of a name in the bucket; undefined for one that is hidden.
   *
   * @throws `internal` under `escape` for a name that is no escaped key: leaving it out would make the list partial
   */
  keyOf(name: string): string | undefined {
    if (HIDDEN.test(name)) return undefined
    if (!this.#settings.escapeKeys) return name
    const key = unescapeKey(name)
    if (key !== undefined) return key
    throw new StorageError(
      'internal',
      `the bucket holds ${JSON.stringify(name.slice(0, 80))}, which keyEncoding 'escape' did not write; rename it, or list this bucket with keyEncoding 'refuse'`,
    )
  }

  prefixOf(prefix: string): string {
    return this.#settings.escapeKeys ? escapePrefix(prefix) : prefix
  }

  /** The greatest name, or what sorts like it, at or before everything behind `key` in the list. */
  positionOf(key: string): string {
    const position = this.#settings.escapeKeys ? escapeKey(key) : key
    // Control characters end a field of the server's cursor; entries before `key` may come again.
    return /^[^\x00-\x1f\x7f]*/.exec(position)![0]
  }

  /** `bucket/name` as part of a URL. */
  pathOf(name: string): string {
    return `${encodeURIComponent(this.#settings.bucket)}/${encodeKey(name)}`
  }
}

/** A name beside `name` that nobody else uses and no list shows: row policies often look at the folder. */
export function temporaryName(name: string): string {
  const own = `.stowage-temp-${randomBytes(16).toString('hex')}`
  let folder = name.slice(0, name.lastIndexOf('/') + 1)
  while (folder.length + own.length > MAX_NAME_BYTES)
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1)
  return folder + own
}
