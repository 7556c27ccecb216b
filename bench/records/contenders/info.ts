import { memory } from '../../../dist/memory.js'
import type { SqliteLibrary } from '../sqlite-library.ts'
import { filesWithRecords } from '../with-records.ts'
import type { RecordsContender } from './contender.ts'

export async function create(options: {
  library: SqliteLibrary
  path: string
  rows: number
}): Promise<RecordsContender> {
  const { rows } = options
  const files = filesWithRecords(memory({}), options)
  const keys = Array.from({ length: rows }, (_, at) => `photos/${at}.jpg`)
  await Promise.all(keys.map(key => files.upload(key, 'bytes')))
  return { atOnce: 1, operate: index => files.info(keys[index % rows]!) }
}
