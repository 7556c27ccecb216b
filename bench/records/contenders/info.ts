import { memory } from '../../../dist/memory.js'
import type { TimedContender } from '../../timed-contender.ts'
import type { SqliteLibrary } from '../sqlite-library.ts'
import { filesWithRecords } from '../with-records.ts'

export async function create(options: {
  library: SqliteLibrary
  path: string
  rows: number
}): Promise<TimedContender> {
  const { rows } = options
  const files = filesWithRecords(memory({}), options)
  const keys = Array.from({ length: rows }, (_, at) => `photos/${at}.jpg`)
  await Promise.all(keys.map(key => files.upload(key, 'bytes')))
  return { atOnce: 1, operate: index => files.info(keys[index % rows]!) }
}
