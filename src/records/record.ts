import type { ChecksumAlgorithm } from '../core/checksum.ts'
import type { Attributes } from '../core/driver.ts'
import type { ObjectInfo } from '../core/provider.ts'
import type { Row, SqlValue } from '../sql/engine.ts'

/** A file as the database knows it: what readers are told, and where its bytes lie. */
export interface FileRecord {
  /** The key that the application uses. */
  readonly key: string
  /** The id of the upload that made these bytes; what `info()` gives as the etag. */
  readonly generation: string
  /** The key under which the store has the bytes. */
  readonly physical: string
  readonly size: number
  readonly attributes: Attributes
  readonly checksum: ObjectInfo['checksum']
  /** The store's own etag of the bytes. */
  readonly storeEtag: string | undefined
  readonly versionId: string | undefined
  /** Whether the bytes were there before their record: then their key is not of our form. */
  readonly adopted: boolean
  /** Milliseconds since 1970, by the store's clock. */
  readonly createdAt: number
  readonly modifiedAt: number
}

/** Columns that `files` and `trash` share, in the order of `attributeValues`. */
export const ATTRIBUTE_COLUMNS = [
  'physical',
  'size',
  'content_type',
  'cache_control',
  'content_disposition',
  'content_encoding',
  'content_language',
  'storage_class',
  'metadata',
  'checksum_algorithm',
  'checksum_value',
  'store_etag',
  'version_id',
  'adopted',
  'created_at',
  'modified_at',
] as const

export const RECORD_COLUMNS = ['key', 'generation', ...ATTRIBUTE_COLUMNS].join(', ')

export function recordFrom(row: Row): FileRecord {
  const text = (name: string) => (row[name] === null ? undefined : String(row[name]))
  const checksumValue = text('checksum_value')
  return {
    key: String(row.key),
    generation: String(row.generation),
    physical: String(row.physical),
    size: Number(row.size),
    attributes: given({
      contentType: text('content_type'),
      cacheControl: text('cache_control'),
      contentDisposition: text('content_disposition'),
      contentEncoding: text('content_encoding'),
      contentLanguage: text('content_language'),
      storageClass: text('storage_class'),
      metadata: JSON.parse(String(row.metadata)) as Record<string, string>,
    }),
    checksum:
      checksumValue === undefined
        ? undefined
        : { algorithm: String(row.checksum_algorithm) as ChecksumAlgorithm, value: checksumValue },
    storeEtag: text('store_etag'),
    versionId: text('version_id'),
    adopted: row.adopted === 1n,
    createdAt: Number(row.created_at),
    modifiedAt: Number(row.modified_at),
  }
}

export function attributeValues(record: FileRecord): SqlValue[] {
  const { attributes, checksum } = record
  return [
    record.physical,
    BigInt(record.size),
    attributes.contentType ?? null,
    attributes.cacheControl ?? null,
    attributes.contentDisposition ?? null,
    attributes.contentEncoding ?? null,
    attributes.contentLanguage ?? null,
    attributes.storageClass ?? null,
    JSON.stringify(attributes.metadata ?? {}),
    checksum?.algorithm ?? null,
    checksum?.value ?? null,
    record.storeEtag ?? null,
    record.versionId ?? null,
    record.adopted ? 1n : 0n,
    BigInt(record.createdAt),
    BigInt(record.modifiedAt),
  ]
}

/** What a reader is told. The etag is the generation: it changes with every upload, on every store. */
export function infoOf(record: FileRecord): ObjectInfo {
  const { key, size, generation, attributes, checksum, modifiedAt } = record
  return {
    key,
    size,
    etag: generation,
    lastModified: new Date(modifiedAt),
    ...attributes,
    metadata: { ...attributes.metadata },
    ...(checksum === undefined ? {} : { checksum: { ...checksum } }),
  }
}

/** The values that are there: a loop, since every record of every list comes by here. */
function given<T extends object>(values: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  const kept: Partial<T> = {}
  for (const name in values) if (values[name] !== undefined) kept[name] = values[name]
  return kept as never
}
