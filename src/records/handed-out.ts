import type { InvalidationTarget } from '../core/invalidator.ts'
import type { Statement } from '../sql/engine.ts'
import { placeholders, type RecordSet } from './record-set.ts'

/** Names that this process has written already, per record set: a variant costs one write, not one per URL. */
const written = new WeakMap<RecordSet, Set<string>>()
const MOST_REMEMBERED = 10_000

/** Written in place of the paths beyond the limit: everything under the key's path must go. */
const MANY = '*'

/**
 * Remembers under which paths a CDN may keep bytes, before the URLs are given out: a bounded set per physical key,
 * each path written once. Without a CDN nothing is written.
 */
export async function rememberHandedOut(
  set: RecordSet,
  urls: readonly { physical: string; url: string }[],
): Promise<void> {
  const { cdn } = set.settings
  if (cdn === undefined || urls.length === 0) return
  const known = written.get(set) ?? new Set()
  written.set(set, known)
  const fresh = urls
    .map(({ physical, url }) => ({ physical, path: cdn.pathOf(new URL(url)) }))
    .filter(({ physical, path }) => !known.has(`${physical}\n${path}`))
  if (fresh.length === 0) return
  const table = set.table('handed_out')
  const insert = `INSERT INTO ${table} (physical, path) SELECT ?, CASE WHEN (SELECT COUNT(*) FROM ${table} WHERE physical = ?) >= ? THEN '${MANY}' ELSE ? END WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE physical = ? AND path = ?) ON CONFLICT (physical, path) DO NOTHING`
  const most = BigInt(cdn.maxPaths)
  await set.write(
    fresh.map(({ physical, path }): Statement => [insert, physical, physical, most, path, physical, path]),
  )
  if (known.size > MOST_REMEMBERED) known.clear()
  for (const { physical, path } of fresh) known.add(`${physical}\n${path}`)
}

/** What the CDN must forget about physical keys. `reference` names the job and how often it was told. */
export async function invalidationTargets(
  set: RecordSet,
  jobs: readonly { readonly physical: string; readonly reference: string }[],
): Promise<InvalidationTarget[]> {
  const rows = await set.query([
    `SELECT physical, path FROM ${set.table('handed_out')} WHERE physical IN (${placeholders(jobs)}) ORDER BY physical, path`,
    ...jobs.map(job => job.physical),
  ])
  const paths = new Map<string, string[]>()
  for (const { physical, path } of rows)
    paths.set(String(physical), [...(paths.get(String(physical)) ?? []), String(path)])
  return jobs.map(({ physical, reference }) => {
    const all = paths.get(physical) ?? []
    const named = all.filter(path => path !== MANY)
    const many = named.length < all.length
    return {
      key: physical,
      paths: named,
      tags: set.settings.cdn?.tagsOf(physical) ?? [],
      ...(many ? { prefixes: [...new Set(named.map(path => path.replace(/\?.*$/s, '')))] } : {}),
      reference,
    }
  })
}

export function forgetHandedOut(set: RecordSet, physicals: readonly string[]): Statement {
  return [
    `DELETE FROM ${set.table('handed_out')} WHERE physical IN (${placeholders(physicals)})`,
    ...physicals,
  ]
}
