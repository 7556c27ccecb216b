import { ok } from './assertions.ts'
import type { Scope } from './scope.ts'

/** Stores an object and returns its current etag. */
export async function etagOf(scope: Scope, key: string, body = 'content'): Promise<string> {
  await scope.put(key, body)
  const { etag } = await scope.files.info(key)
  ok(etag, `info(${JSON.stringify(key)}).etag is missing, though conditions are declared`)
  return etag
}

/** Stores an object twice and returns the etag that it had before. */
export async function staleEtagOf(scope: Scope, key: string): Promise<string> {
  const stale = await etagOf(scope, key, 'first')
  await etagOf(scope, key, 'second')
  return stale
}
