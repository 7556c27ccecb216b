/** What the server knows: buckets, rows with their bytes, policies, unfinished uploads. */
import { randomUUID } from 'node:crypto'
import type { Faults } from './faults.ts'
import type { Policy } from './row-policies.ts'
import type { S3Upload } from './s3-multipart.ts'
import type { TusUpload } from './tus-upload.ts'

export interface Bucket {
  id: string
  public: boolean
  owner: string
  fileSizeLimit: number | null
  allowedMimeTypes: string[] | null
  createdAt: number
  updatedAt: number
}

/** What the blob store says of the bytes; list rows show it, `info` does not. */
export interface BlobFacts {
  eTag: string
  size: number
  mimetype: string
  cacheControl: string
  lastModified: string
  contentLength: number
  httpStatusCode: number
  xRobotsTag?: string
}

export interface StoredObject {
  id: string
  bucketId: string
  name: string
  version: string
  owner: string
  createdAt: number
  updatedAt: number
  lastAccessedAt: number
  blob: BlobFacts
  userMetadata: Record<string, unknown> | null
  bytes: Buffer
}

export interface Limits {
  /** Largest object a single request may declare. */
  standardBytes: number
  /** Largest object the resumable protocol accepts. */
  resumableBytes: number
}

export class StorageState {
  readonly buckets = new Map<string, Bucket>()
  readonly policies: Policy[] = []
  readonly tusUploads = new Map<string, TusUpload>()
  readonly s3Uploads = new Map<string, S3Upload>()
  private readonly rows = new Map<string, Map<string, StoredObject>>()

  constructor(
    readonly now: () => number,
    readonly jwtSecret: string,
    readonly blobStore: 's3' | 'file',
    readonly limits: Limits,
    readonly faults: Faults,
  ) {}

  find(bucketId: string, name: string): StoredObject | undefined {
    return this.rows.get(bucketId)?.get(name)
  }

  in(bucketId: string): StoredObject[] {
    return [...(this.rows.get(bucketId)?.values() ?? [])]
  }

  remove(object: StoredObject): void {
    this.rows.get(object.bucketId)?.delete(object.name)
  }

  insert(object: StoredObject): void {
    let bucket = this.rows.get(object.bucketId)
    if (!bucket) {
      bucket = new Map()
      this.rows.set(object.bucketId, bucket)
    }
    bucket.set(object.name, object)
  }

  /** The last writer wins: no check stands between the bytes and the row, and the id of an old row is kept. */
  upsert(
    object: Pick<StoredObject, 'bucketId' | 'name' | 'owner' | 'blob' | 'userMetadata' | 'bytes'> & {
      version?: string
    },
  ): StoredObject {
    const old = this.find(object.bucketId, object.name)
    const at = this.now()
    const row: StoredObject = {
      ...object,
      id: old?.id ?? randomUUID(),
      version: object.version ?? randomUUID(),
      createdAt: old?.createdAt ?? at,
      lastAccessedAt: old?.lastAccessedAt ?? at,
      updatedAt: at,
    }
    this.insert(row)
    return row
  }
}

export const iso = (ms: number): string => new Date(ms).toISOString()

/** The whole row, as copy and batch delete answer it. */
export function fullRow(object: StoredObject) {
  return {
    name: object.name,
    bucket_id: object.bucketId,
    owner: object.owner,
    owner_id: object.owner,
    version: object.version,
    ...listRow(object),
    user_metadata: object.userMetadata,
  }
}

/** The part of a row that lists show. */
export function listRow(object: StoredObject) {
  return {
    id: object.id,
    updated_at: iso(object.updatedAt),
    created_at: iso(object.createdAt),
    last_accessed_at: iso(object.lastAccessedAt),
    metadata: object.blob,
  }
}
