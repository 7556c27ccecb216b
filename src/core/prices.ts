import { StorageError } from './errors.ts'

/**
 * What a store charges, as data: replace it by your own, since prices differ by region and contract and change. In US
 * dollars; a GB is 2^30 bytes, as AWS counts.
 */
export interface PriceTable {
  /** Stands beside every estimate that was made with it. */
  readonly name: string
  readonly region: string
  /** When the prices were looked up, as `2025-06-01`. */
  readonly date: string
  /** Where they can be compared. */
  readonly source: string
  /** A GB that leaves the store for the internet. */
  readonly trafficPerGb: number
  /** By storage class, as S3 names it. `STANDARD` must be among them. */
  readonly classes: Readonly<Record<string, ClassPrices>>
}

/** One storage class. */
export interface ClassPrices {
  readonly storagePerGbMonth: number
  /** PUT, COPY, POST, LIST, and each part of an upload in parts. */
  readonly putPer1000: number
  /** GET, HEAD and all others. DELETE is free. */
  readonly getPer1000: number
  /** Objects that a lifecycle rule moves into the class. */
  readonly transitionPer1000: number
  /** Bytes that are read. Default: 0. */
  readonly retrievalPerGb?: number
  /** An object that goes earlier is charged for so many days. Default: 0. */
  readonly minimumDays?: number
  /** A smaller object is charged as so large. Default: 0. */
  readonly minimumBytes?: number
  /** Charged beside each object's own bytes: at this class's price. Default: 0. */
  readonly overheadBytes?: number
  /** Charged beside each object's own bytes: at the price of `STANDARD`. Default: 0. */
  readonly standardOverheadBytes?: number
  /** A month, for objects of at least 128 KiB. Default: 0. */
  readonly monitoringPer1000?: number
}

const KIB = 1024

/** AWS in us-east-1, the first price step of each class: no discounts, no free tier. Compare it with the source. */
export const AWS_US_EAST_1: PriceTable = {
  name: 'AWS S3 in us-east-1, 2025-06-01',
  region: 'us-east-1',
  date: '2025-06-01',
  source: 'https://aws.amazon.com/s3/pricing/',
  trafficPerGb: 0.09,
  classes: {
    STANDARD: { storagePerGbMonth: 0.023, putPer1000: 0.005, getPer1000: 0.0004, transitionPer1000: 0 },
    REDUCED_REDUNDANCY: {
      storagePerGbMonth: 0.024,
      putPer1000: 0.005,
      getPer1000: 0.0004,
      transitionPer1000: 0,
    },
    // What is not read for 30 and 90 days gets cheaper; a list does not tell, so the highest of its prices is taken.
    INTELLIGENT_TIERING: {
      storagePerGbMonth: 0.023,
      putPer1000: 0.005,
      getPer1000: 0.0004,
      transitionPer1000: 0.01,
      monitoringPer1000: 0.0025,
    },
    STANDARD_IA: {
      storagePerGbMonth: 0.0125,
      putPer1000: 0.01,
      getPer1000: 0.001,
      transitionPer1000: 0.01,
      retrievalPerGb: 0.01,
      minimumDays: 30,
      minimumBytes: 128 * KIB,
    },
    ONEZONE_IA: {
      storagePerGbMonth: 0.01,
      putPer1000: 0.01,
      getPer1000: 0.001,
      transitionPer1000: 0.01,
      retrievalPerGb: 0.01,
      minimumDays: 30,
      minimumBytes: 128 * KIB,
    },
    GLACIER_IR: {
      storagePerGbMonth: 0.004,
      putPer1000: 0.02,
      getPer1000: 0.01,
      transitionPer1000: 0.02,
      retrievalPerGb: 0.03,
      minimumDays: 90,
      minimumBytes: 128 * KIB,
    },
    GLACIER: {
      storagePerGbMonth: 0.0036,
      putPer1000: 0.03,
      getPer1000: 0.0004,
      transitionPer1000: 0.03,
      retrievalPerGb: 0.01,
      minimumDays: 90,
      overheadBytes: 32 * KIB,
      standardOverheadBytes: 8 * KIB,
    },
    DEEP_ARCHIVE: {
      storagePerGbMonth: 0.00099,
      putPer1000: 0.05,
      getPer1000: 0.0004,
      transitionPer1000: 0.05,
      retrievalPerGb: 0.02,
      minimumDays: 180,
      overheadBytes: 32 * KIB,
      standardOverheadBytes: 8 * KIB,
    },
  },
}

const TEXTS = ['name', 'region', 'date', 'source'] as const
const NEEDED = ['storagePerGbMonth', 'putPer1000', 'getPer1000', 'transitionPer1000'] as const
const OPTIONAL = [
  'retrievalPerGb',
  'minimumDays',
  'minimumBytes',
  'overheadBytes',
  'standardOverheadBytes',
  'monitoringPer1000',
] as const

/** A table that somebody wrote, as JSON for instance. @throws `invalid-argument` with what is missing or wrong */
export function priceTable(table: unknown): PriceTable {
  if (!isRecord(table)) throw refuse('must be an object')
  const unknown = Object.keys(table).find(name => ![...TEXTS, 'trafficPerGb', 'classes'].includes(name))
  if (unknown !== undefined) throw refuse(`there is no '${unknown}'`)
  for (const name of TEXTS) if (typeof table[name] !== 'string') throw refuse(`${name} must be a string`)
  assertPrice('trafficPerGb', table.trafficPerGb)
  if (!isRecord(table.classes)) throw refuse('classes must be an object: prices by storage class')
  if (!('STANDARD' in table.classes)) throw refuse('classes must hold STANDARD')
  for (const [name, prices] of Object.entries(table.classes)) assertClass(name, prices)
  return table as unknown as PriceTable
}

/**
 * The prices of one storage class; lists that name none mean `STANDARD`.
 *
 * @throws `invalid-argument` where the table does not know it
 */
export function classPrices(table: PriceTable, storageClass = 'STANDARD'): ClassPrices {
  const prices = Object.hasOwn(table.classes, storageClass) ? table.classes[storageClass] : undefined
  if (prices === undefined)
    throw refuse(`'${table.name}' has no ${storageClass}; add it to the classes of a table of your own`)
  return prices
}

function assertClass(name: string, prices: unknown): void {
  if (!isRecord(prices)) throw refuse(`classes.${name} must be an object`)
  const known: readonly string[] = [...NEEDED, ...OPTIONAL]
  const unknown = Object.keys(prices).find(field => !known.includes(field))
  if (unknown !== undefined)
    throw refuse(`classes.${name} has no '${unknown}'; known are ${known.join(', ')}`)
  for (const field of NEEDED) assertPrice(`classes.${name}.${field}`, prices[field])
  for (const field of OPTIONAL)
    if (prices[field] !== undefined) assertPrice(`classes.${name}.${field}`, prices[field])
}

function assertPrice(name: string, value: unknown): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return
  throw refuse(`${name} must be a number of at least 0`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `prices: ${problem}`)
}
