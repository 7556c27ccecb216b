import { s3 } from '../../../dist/s3.js'
import type { Target } from '../../contenders/contender.ts'
import type { TimedContender } from '../../timed-contender.ts'
import type { SqliteLibrary } from '../sqlite-library.ts'
import { filesWithRecords, s3Options } from '../with-records.ts'

export interface UploadOptions {
  target: Target
  /** Keys of this contender begin with it. */
  prefix: string
  atOnce: number
  size: number
  /** The database of the records; absent for the store alone. */
  records?: { library: SqliteLibrary; path: string }
}

export async function create(options: UploadOptions): Promise<TimedContender> {
  const { target, prefix, atOnce, size, records } = options
  const store = s3(s3Options(target))
  const files = records === undefined ? store : filesWithRecords(store, records)
  const bytes = new Uint8Array(size).fill(7)
  const upload = (index: number) =>
    files.upload(`${prefix}/${index}`, bytes, { contentType: 'application/octet-stream' })
  return { atOnce, operate: upload }
}
