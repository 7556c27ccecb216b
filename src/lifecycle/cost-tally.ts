import { type ClassPrices, classPrices, type PriceTable } from '../core/prices.ts'

/** What one storage class of a bucket costs a month, in US dollars. */
export interface ClassCost {
  readonly storageClass: string
  readonly objects: number
  readonly bytes: number
  /** Bytes that are charged: with minimum sizes, and what the store keeps beside each object. */
  readonly billedBytes: number
  readonly storage: number
  readonly monitoring: number
}

const GB = 2 ** 30
/** Smaller ones are not watched, and not charged for it. */
const MONITORED_FROM = 128 * 1024

/** Adds up what objects cost, class by class. */
export class CostTally {
  objects = 0
  bytes = 0
  readonly #prices: PriceTable
  readonly #classes = new Map<string, { -readonly [Name in keyof ClassCost]: ClassCost[Name] }>()

  constructor(prices: PriceTable) {
    this.#prices = prices
  }

  get monthly(): number {
    return this.classes.reduce((sum, { storage, monitoring }) => sum + storage + monitoring, 0)
  }

  get classes(): readonly ClassCost[] {
    return [...this.#classes.values()]
  }

  add(storageClass: string, size: number): void {
    const cost = this.cost(storageClass, size)
    this.objects++
    this.bytes += size
    const sum = this.#classes.get(storageClass)
    if (sum === undefined) {
      this.#classes.set(storageClass, cost)
      return
    }
    sum.objects++
    sum.bytes += size
    sum.billedBytes += cost.billedBytes
    sum.storage += cost.storage
    sum.monitoring += cost.monitoring
  }

  /** Of one object. */
  cost(storageClass: string, size: number): { -readonly [Name in keyof ClassCost]: ClassCost[Name] } {
    const prices = classPrices(this.#prices, storageClass)
    const { overheadBytes = 0, standardOverheadBytes = 0, monitoringPer1000 = 0 } = prices
    const own = billedSize(prices, size) + overheadBytes
    const standard = classPrices(this.#prices).storagePerGbMonth
    return {
      storageClass,
      objects: 1,
      bytes: size,
      billedBytes: own + standardOverheadBytes,
      storage: (own * prices.storagePerGbMonth + standardOverheadBytes * standard) / GB,
      monitoring: size >= MONITORED_FROM ? monitoringPer1000 / 1000 : 0,
    }
  }
}

function billedSize({ minimumBytes = 0 }: ClassPrices, size: number): number {
  return Math.max(size, minimumBytes)
}
