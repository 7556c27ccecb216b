import type { LifecycleFilter, LifecycleRule } from '../core/bucket-lifecycle.ts'

/** Whether two rules do the same to the same objects. Servers write one rule in different ways. */
export function sameRule(one: LifecycleRule, other: LifecycleRule): boolean {
  return JSON.stringify(canonical(one)) === JSON.stringify(canonical(other))
}

function canonical({ Filter, Prefix, ...rule }: LifecycleRule): unknown {
  return ordered({ ...rule, Filter: flat(Filter ?? { Prefix }) })
}

/** One prefix, whether it stands alone, in `And`, or not at all. */
function flat({ And, ...filter }: LifecycleFilter): object {
  const { Tags, ...rest } = And ?? {}
  const tags = Tags ?? (filter.Tag === undefined ? [] : [filter.Tag])
  const { Prefix = '', ...sizes } = { ...filter, ...rest }
  return { ...sizes, Prefix, Tag: undefined, ...(tags.length === 0 ? {} : { tags }) }
}

/** Names in order, without what is absent, false or empty. */
function ordered(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value)
    .map(([name, field]): [string, unknown] => [name, ordered(field)])
    .filter(([, field]) => field !== undefined && field !== false && JSON.stringify(field) !== '[]')
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
}
