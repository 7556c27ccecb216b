/** What one side of a migration charges, in US dollars. */
export interface SidePrices {
  /** Per 1,000 list requests. */
  readonly lists: number
  /** Per 1,000 reads. */
  readonly gets: number
  /** Per 1,000 writes. */
  readonly puts: number
  /** Per GiB that leaves. */
  readonly trafficPerGib: number
}

/** A price table: data, to be replaced by what you pay. */
export interface RequestPrices {
  /** Which list this is, of what date: stands in the plan beside the cost. */
  readonly name: string
  readonly from: SidePrices
  readonly to: SidePrices
}

/**
 * From Supabase's Pro plan, beyond its quota, to S3 Standard in us-east-1, as published in November 2026. Prices change: give
 * your own as `prices`. https://supabase.com/docs/guides/platform/billing-on-supabase https://aws.amazon.com/s3/pricing/
 */
export const REQUEST_PRICES: RequestPrices = {
  name: 'Supabase Pro to S3 Standard in us-east-1, November 2026',
  from: { lists: 0, gets: 0, puts: 0, trafficPerGib: 0.09 },
  to: { lists: 0.005, gets: 0.0004, puts: 0.005, trafficPerGib: 0 },
}
