/** Supabase Storage. */
import { defineProvider } from '../../core/define-provider.ts'
import type { StorageProvider } from '../../core/provider.ts'
import type { SupabaseOptions } from './options.ts'
import { SupabaseDriver } from './supabase-driver.ts'

export type { SupabaseClientLike, SupabaseOptions } from './options.ts'

/**
 * A provider over one bucket of Supabase Storage, hosted or one's own.
 *
 * Talks to the storage API itself, with the credentials of the client or the key: supabase-js does not encode keys
 * and drops the error codes that tell a missing object from a refused one. What each method needs of the row
 * policies, and what Supabase can't do, stands in docs/supabase.md.
 *
 * @throws `invalid-argument` for options that are unknown, missing or contradict each other
 * @example
 * ```ts
 * const files = supabase({ bucket: 'photos', url: process.env.SUPABASE_URL!, key: process.env.SUPABASE_SERVICE_KEY! })
 * const same = supabase({ bucket: 'photos', client: createClient(url, key) })
 * ```
 */
export function supabase(options: SupabaseOptions): StorageProvider {
  return defineProvider(new SupabaseDriver(options))
}
