import { classPrices } from '../../core/prices.ts'
import type { Workload } from '../manifest.ts'
import type { RequestEstimate } from '../migration-plan.ts'
import type { MigrationSettings } from './checked-settings.ts'

const GB = 2 ** 30

/** Requests of both sides, by the prices of each: lists as they were just made, a read and a write for each object or part. */
export function requestEstimate(
  { prices, storageClassName }: Pick<MigrationSettings, 'prices' | 'storageClassName'>,
  { requests, bytes }: Workload,
  pages: { readonly source: number; readonly destination: number },
): RequestEstimate {
  const { from, to } = prices
  const [source, destination] = [classPrices(from), classPrices(to)]
  // A class that the table does not know is no reason to have no plan.
  const placed = to.classes[storageClassName ?? 'STANDARD'] ?? destination
  const cost =
    (pages.source * source.putPer1000 +
      pages.destination * destination.putPer1000 +
      requests * (source.getPer1000 + placed.putPer1000)) /
    1000
  const traffic = (bytes / GB) * from.trafficPerGb
  return {
    lists: pages.source + pages.destination,
    gets: requests,
    puts: requests,
    cost: {
      requests: cost,
      traffic,
      total: cost + traffic,
      prices: from.name === to.name ? from.name : `${from.name}; ${to.name}`,
    },
  }
}
