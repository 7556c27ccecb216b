import { existsSync } from 'node:fs'
import { UsageError } from './exit-codes.ts'

/** The file of a database's URL, where it names one that can be looked for. */
export function databaseFile(url: string): string | undefined {
  const [, path] = /^sqlite:(?:\/\/(?=\/))?(?!\/\/[^/]|:memory:)([^?#]+)$/i.exec(url) ?? []
  try {
    return path && decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** Whether opening this URL would make a database. */
export function isNewDatabase(url: string): boolean {
  const file = databaseFile(url)
  return file !== undefined && !existsSync(file)
}

/**
 * For commands that look at records which an application has made: a name that was mistyped must not make an empty database, in which
 * nothing is found.
 *
 * @throws a usage error with the file
 */
export function assertDatabaseThere(url: string): void {
  if (isNewDatabase(url))
    throw new UsageError(`there is no database ${databaseFile(url)}: see --records (or STOWAGE_RECORDS)`)
}
