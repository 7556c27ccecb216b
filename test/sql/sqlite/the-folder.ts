import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A folder for database files, removed at the end. Call it once in a test file, outside of tests. */
export function theFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-sqlite-'))
  let files = 0
  afterAll(() => rmSync(folder, { recursive: true }))
  return {
    /** A path where no file is. */
    path: () => join(folder, `${++files}.db`),
  }
}
