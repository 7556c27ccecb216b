import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../../core/errors.ts'
import { assertFactoryOptions } from '../../core/factory-options.ts'
import type { PriceTable } from '../../core/prices.ts'
import type { ObjectInfo, StorageProvider } from '../../core/provider.ts'
import type { Engine } from '../../sql/engine.ts'
import type {
  AttributeRewrite,
  BodyTransform,
  ExistingObjects,
  KeyConversion,
  MigrateOptions,
  MigrationLimits,
  ObjectFilters,
  VerifyLevel,
} from '../migrate-options.ts'
import { pricesOf } from './migration-prices.ts'

/** `MigrateOptions`, checked and with every default filled in. */
export interface MigrationSettings {
  readonly from: StorageProvider
  readonly to: StorageProvider
  readonly engine: Engine
  readonly name: string
  /** Undefined: keys stay the same. */
  readonly keys: KeyConversion | undefined
  readonly filters: ObjectFilters
  /** What is listed of the source: the filter's, `` for all. */
  readonly sourcePrefix: string
  /** What is listed of the destination. */
  readonly destinationPrefix: string
  readonly destinationIgnoresCase: boolean
  readonly attributes: AttributeRewrite | undefined
  readonly storageClass: ((info: ObjectInfo) => string | undefined) | undefined
  /** Where it is one for all. */
  readonly storageClassName: string | undefined
  readonly transform: BodyTransform | undefined
  readonly rules: string
  readonly existing: ExistingObjects
  readonly repair: boolean
  readonly beside: boolean
  readonly limits: CheckedLimits
  readonly verify: VerifyLevel
  readonly prices: { readonly from: PriceTable; readonly to: PriceTable }
  readonly signal: AbortSignal | undefined
  readonly now: () => number
  readonly random: () => number
  readonly sleep: NonNullable<MigrateOptions['sleep']>
}

/** Absent: no limit. */
export type CheckedLimits = Required<
  Omit<MigrationLimits, 'concurrency' | 'requestsPerSecond' | 'bytesPerSecond'>
> &
  Pick<MigrationLimits, 'concurrency' | 'requestsPerSecond' | 'bytesPerSecond'>

const MIB = 2 ** 20

const DEFAULT_LIMITS = {
  maxConcurrency: 256,
  bytesInFlight: 96 * MIB,
  largeObjectBytes: 32 * MIB,
  partBytes: 16 * MIB,
  attempts: 5,
} as const

/** @throws `invalid-argument`, saying what to do */
export function checkedSettings(options: MigrateOptions): MigrationSettings {
  assertFactoryOptions('migrate', options, {
    from: 'object',
    to: 'object',
    manifest: 'object',
    name: 'string',
    keys: 'function',
    destinationPrefix: 'string',
    destinationIgnoresCase: 'boolean',
    prefix: 'string',
    include: 'array',
    exclude: 'array',
    minSizeBytes: 'number',
    maxSizeBytes: 'number',
    modifiedAfter: 'object',
    modifiedBefore: 'object',
    attributes: 'function',
    storageClass: 'string or function',
    transform: 'function',
    rules: 'string',
    existing: 'string',
    repair: 'boolean',
    beside: 'boolean',
    limits: 'object',
    verify: 'string',
    prices: 'object',
    signal: 'object',
    now: 'function',
    random: 'function',
    sleep: 'function',
  })
  const { from, to, manifest, keys, storageClass, prefix = '' } = options
  for (const [name, provider] of Object.entries({ from, to }))
    if (!isProvider(provider))
      throw refuse(
        `${name} must be a provider; ${(provider as unknown) instanceof Promise ? 'await the promise first' : 'such as memory() returns'}`,
      )
  if (typeof manifest?.batch !== 'function')
    throw refuse("manifest must be an engine, such as sqlite({ path: 'migration.db' })")
  if (!to.capabilities.writable) throw refuse('the destination is read-only')
  if (from.location === to.location && keys === undefined)
    throw refuse('source and destination are the same place; give two, or keys that differ')
  return {
    from,
    to,
    engine: manifest,
    name: options.name ?? 'default',
    keys,
    filters: checkedFilters(options),
    sourcePrefix: prefix,
    destinationPrefix: options.destinationPrefix ?? (keys === undefined ? prefix : ''),
    destinationIgnoresCase: options.destinationIgnoresCase ?? !to.capabilities.keys.caseSensitive,
    attributes: options.attributes,
    storageClass: typeof storageClass === 'string' ? () => storageClass : storageClass,
    storageClassName: typeof storageClass === 'string' ? storageClass : undefined,
    transform: options.transform,
    rules: options.rules ?? '',
    existing: oneOf('existing', options.existing ?? 'compare', ['compare', 'overwrite', 'refuse']),
    repair: options.repair ?? false,
    beside: options.beside ?? false,
    limits: checkedLimits(options.limits ?? {}),
    verify: oneOf('verify', options.verify ?? 'checksum', ['attributes', 'checksum', 'content']),
    prices: { from: options.prices?.from ?? pricesOf(from), to: options.prices?.to ?? pricesOf(to) },
    signal: options.signal,
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    sleep: options.sleep ?? pause,
  }
}

function isProvider(value: unknown): boolean {
  const { upload, download, list } = (value ?? {}) as Record<string, unknown>
  return [upload, download, list].every(method => typeof method === 'function')
}

function checkedFilters(options: MigrateOptions): ObjectFilters {
  const { prefix, include, exclude, minSizeBytes, maxSizeBytes, modifiedAfter, modifiedBefore } = options
  for (const [name, filters] of Object.entries({ include, exclude }))
    for (const filter of filters ?? [])
      if (!(filter instanceof RegExp) && (typeof filter !== 'string' || filter === ''))
        throw refuse(`${name} holds globs and regular expressions`)
  for (const [name, bytes] of Object.entries({ minSizeBytes, maxSizeBytes }))
    if (bytes !== undefined && !(bytes >= 0)) throw refuse(`${name} must be a number of bytes, 0 or more`)
  for (const [name, date] of Object.entries({ modifiedAfter, modifiedBefore }))
    if (date !== undefined && !(date instanceof Date && !Number.isNaN(date.getTime())))
      throw refuse(`${name} must be a Date`)
  return { prefix, include, exclude, minSizeBytes, maxSizeBytes, modifiedAfter, modifiedBefore }
}

function checkedLimits(limits: MigrationLimits): CheckedLimits {
  assertFactoryOptions('migrate: limits', limits, {
    maxConcurrency: 'number',
    concurrency: 'number',
    requestsPerSecond: 'number',
    bytesPerSecond: 'number',
    bytesInFlight: 'number',
    largeObjectBytes: 'number',
    partBytes: 'number',
    attempts: 'number',
  })
  for (const [name, value] of Object.entries(limits) as [keyof MigrationLimits, number | undefined][]) {
    if (value === undefined) continue
    const isRate = name === 'requestsPerSecond' || name === 'bytesPerSecond'
    if (!(value > 0 && (isRate ? Number.isFinite(value) : Number.isSafeInteger(value))))
      throw refuse(`limits.${name} must be ${isRate ? 'a number' : 'a whole number'} above 0`)
  }
  const given = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
  return { ...DEFAULT_LIMITS, ...given }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<unknown> {
  return delay(ms, undefined, signal === undefined ? {} : { signal })
}

function oneOf<Word extends string>(name: string, value: Word, words: readonly Word[]): Word {
  if (words.includes(value)) return value
  throw refuse(`${name} must be one of ${words.join(', ')}`)
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `migrate: ${problem}`, { operation: 'migrate' })
}
