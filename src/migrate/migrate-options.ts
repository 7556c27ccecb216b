import type { ObjectAttributes } from '../core/options.ts'
import type { PriceTable } from '../core/prices.ts'
import type { ObjectInfo, StorageProvider } from '../core/provider.ts'
import type { Engine } from '../sql/engine.ts'

/** One object of the source, as its list or its download told of it. */
export type SourceObject = ObjectInfo

/**
 * Where an object goes. Must be one-to-one: the plan refuses two source keys that get one destination key, also by case
 * alone where the destination could not tell them apart. Called once per object, and again when a plan is made anew: the same key must
 * give the same answer. `undefined` leaves the object out.
 */
export type KeyConversion = (key: string, object: SourceObject) => string | undefined

/** A glob over whole source keys (`photos/**`, `*.jpg` matches at the top only), or a regular expression. */
export type KeyFilter = string | RegExp

/** Which objects are moved. All that is given must hold. */
export interface ObjectFilters {
  /** Source keys that begin with this string: only they are listed. */
  prefix?: string
  /** At least one of them matches. Absent: all. */
  include?: readonly KeyFilter[]
  /** None of them matches. */
  exclude?: readonly KeyFilter[]
  /** Bytes, both included. */
  minSizeBytes?: number
  maxSizeBytes?: number
  /** By the source's `lastModified`. */
  modifiedAfter?: Date
  modifiedBefore?: Date
}

/** Attributes on arrival, from those at the source. What is returned replaces them all; `{...info}` keeps them. */
export type AttributeRewrite = (info: ObjectInfo) => ObjectAttributes

/**
 * Repacks a body. The output's length need not be known; its checksum is taken while it is written, stored in the manifest,
 * and is what verification expects at the destination. Called again when an object is tried again.
 */
export type BodyTransform = (
  body: AsyncIterable<Uint8Array>,
  object: ObjectInfo,
) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>

/**
 * What to do where the destination has an object that this migration has not put there. `compare` (default): the same bytes are taken
 * as copied, others are refused and stay. `overwrite`: replaced. `refuse`: refused, whatever they are.
 */
export type ExistingObjects = 'compare' | 'overwrite' | 'refuse'

/** `attributes`: size, etag and attributes. `checksum`: also the checksum taken while copying. `content`: both sides read. */
export type VerifyLevel = 'attributes' | 'checksum' | 'content'

export interface MigrationLimits {
  /** Objects or parts under way at once, at most. Default 256; how many are is found out. */
  maxConcurrency?: number
  /** A fixed number instead of one that is found out. */
  concurrency?: number
  /** Requests a second to both stores together. */
  requestsPerSecond?: number
  /** Bytes a second, of bodies, each counted once. */
  bytesPerSecond?: number
  /** Bytes held in memory at once. Default 96 MiB. */
  bytesInFlight?: number
  /** Objects from this size on are copied in parts that resume. Default 32 MiB. */
  largeObjectBytes?: number
  /** Default 16 MiB. */
  partBytes?: number
  /** Tries per object and run. Default 5. */
  attempts?: number
}

export interface MigrateOptions extends ObjectFilters {
  from: StorageProvider
  to: StorageProvider
  /** Where the state is kept. Stays open: who made it closes it. */
  manifest: Engine
  /** Several migrations in one database have different names. Default `default`. */
  name?: string
  /** Default: the same key. */
  keys?: KeyConversion
  /**
   * What all destination keys begin with: only these objects are listed there, and a key without it is refused. Default:
   * `prefix` where keys stay the same, else everything is listed.
   */
  destinationPrefix?: string
  /**
   * Whether the destination takes `A` and `a` for one object, so that keys that differ by case alone are refused. Default:
   * as its capabilities say.
   */
  destinationIgnoresCase?: boolean
  /** Default: all attributes that the destination keeps. */
  attributes?: AttributeRewrite
  /** The destination's storage class. Default: its own default. */
  storageClass?: string | ((info: ObjectInfo) => string | undefined)
  transform?: BodyTransform
  /**
   * A word for what `keys`, `attributes`, `transform` and the filters do, stored with the plan: going on with another
   * one is refused, since functions can't be compared. Change it when you change them. Default ``.
   */
  rules?: string
  existing?: ExistingObjects
  /**
   * Whether a whole run makes the copies again that verification finds to differ, and verifies them again at the level that found it.
   * Default false. An object that another hand has put in a copy's place is replaced only under `existing: 'overwrite'`, and one
   * whose source has changed its bytes under the same etag is left as it is.
   */
  repair?: boolean
  limits?: MigrationLimits
  /**
   * Whether a whole run begins although another process is at one of this migration. Default false: refused with `conflict`. Both are
   * right, and copy much of it twice.
   */
  beside?: boolean
  /** The level that a whole run ends with. Default `checksum`. */
  verify?: VerifyLevel
  /**
   * What either side charges, for the plan's estimate. Default: S3 as `AWS_US_EAST_1` has it, Supabase as `SUPABASE_PRO`, others
   * nothing.
   */
  prices?: { from?: PriceTable; to?: PriceTable }
  signal?: AbortSignal
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number
  /** For tests. Default `Math.random`. */
  random?: () => number
  /** For tests: ends when the time has passed, or rejects with the signal's reason. */
  sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
}
