import { AWS_US_EAST_1, type PriceTable } from '../../core/prices.ts'
import type { StorageProvider } from '../../core/provider.ts'

/** Supabase's Pro plan beyond its quota: nothing for requests, traffic by the GB. Prices change: compare it with the source. */
export const SUPABASE_PRO: PriceTable = flat('Supabase Pro, 2025-06-01', 0.09, {
  region: 'any',
  date: '2025-06-01',
  source: 'https://supabase.com/docs/guides/platform/manage-your-usage/egress',
})

/** A disk, or memory. */
const NOTHING: PriceTable = flat('no charge', 0, { region: 'any', date: '2025-06-01', source: '' })

/** The table that is taken for a store where none is given. */
export function pricesOf({ name }: StorageProvider): PriceTable {
  if (name === 's3') return AWS_US_EAST_1
  return name === 'supabase' ? SUPABASE_PRO : NOTHING
}

function flat(
  name: string,
  trafficPerGb: number,
  known: Pick<PriceTable, 'region' | 'date' | 'source'>,
): PriceTable {
  const STANDARD = { storagePerGbMonth: 0, putPer1000: 0, getPer1000: 0, transitionPer1000: 0 }
  return { name, trafficPerGb, classes: { STANDARD }, ...known }
}
