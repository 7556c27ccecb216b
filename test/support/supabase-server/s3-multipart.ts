/** One unfinished multipart upload of the S3 endpoint. */
export interface S3Upload {
  id: string
  bucket: string
  key: string
  mimetype: string
  cacheControl: string
  userMetadata: Record<string, string>
  createdAt: number
  parts: Map<number, { bytes: Buffer; eTag: string; at: number }>
}
