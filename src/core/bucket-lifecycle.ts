/**
 * A lifecycle rule in the form of S3's API: what `aws s3api get-bucket-lifecycle-configuration` prints.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
 */
export interface LifecycleRule {
  readonly ID?: string | undefined
  readonly Status: 'Enabled' | 'Disabled' | undefined
  readonly Filter?: LifecycleFilter | undefined
  /** The old form of `Filter`. */
  readonly Prefix?: string | undefined
  readonly Transitions?: readonly LifecycleTransition[] | undefined
  readonly Expiration?:
    | {
        readonly Days?: number | undefined
        readonly Date?: Date | undefined
        readonly ExpiredObjectDeleteMarker?: boolean | undefined
      }
    | undefined
  readonly NoncurrentVersionExpiration?:
    | { readonly NoncurrentDays?: number | undefined; readonly NewerNoncurrentVersions?: number | undefined }
    | undefined
  readonly NoncurrentVersionTransitions?: readonly object[] | undefined
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: number | undefined } | undefined
}

export interface LifecycleFilter {
  readonly Prefix?: string | undefined
  readonly Tag?: object | undefined
  readonly ObjectSizeGreaterThan?: number | undefined
  readonly ObjectSizeLessThan?: number | undefined
  readonly And?: Omit<LifecycleFilter, 'And' | 'Tag'> & { readonly Tags?: readonly object[] | undefined }
}

export interface LifecycleTransition {
  readonly Days?: number | undefined
  readonly Date?: Date | undefined
  readonly StorageClass?: string | undefined
}

/** All rules of a bucket: S3 reads and writes them as one document. */
export interface LifecycleConfiguration {
  readonly rules: readonly LifecycleRule[]
  /** What holds for rules without a filter by size: `all_storage_classes_128K` or `varies_by_storage_class`. */
  readonly minimumSize?: string
}

/** A bucket's lifecycle rules. Methods reject with a `StorageError` and with nothing else. */
export interface BucketLifecycle {
  readonly bucket: string
  /** No rules where the bucket has none. */
  read(options?: { readonly signal?: AbortSignal | undefined }): Promise<LifecycleConfiguration>
  /**
   * Replaces all rules by these; none removes them.
   *
   * @throws `invalid-argument`, `unsupported` with what the server says where it refuses a rule
   */
  write(
    configuration: LifecycleConfiguration,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>
  close(): Promise<void>
}
