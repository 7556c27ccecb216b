import { mapBounded } from '../../core/batches.ts'
import type { Attributes, CopyRequest } from '../../core/driver.ts'
import { ATTRIBUTES } from '../../core/options.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { S3Connection } from './connection.ts'
import { conditionFailure } from './errors.ts'
import { withMultipart } from './multipart.ts'
import { stripQuotes } from './object-headers.ts'
import type { S3Settings } from './options.ts'
import { headObject } from './read.ts'
import { conditionInput, type SdkCalls } from './sdk-calls.ts'

/**
 * Copies on the server. The source is looked at first: for its size, for the attributes that stay, and for the etag
 * that pins the copy to what was seen.
 */
export async function copyObject(
  connection: S3Connection,
  sdk: SdkCalls,
  settings: S3Settings,
  request: CopyRequest,
): Promise<{ info: ObjectInfo; sourceEtag: string | undefined }> {
  const { from, to, ifMatch, ifNoneMatch, signal } = request
  const source = await headObject(connection, { key: from, ifMatch, ifNoneMatch: undefined, signal })
  const attributes: Attributes = { ...attributesOf(source), ...request.attributes }
  const done = (etag: string | undefined, lastModified: Date | undefined, versionId: string | undefined) => {
    const { storageClass: _, ...shown } = attributes
    const info: ObjectInfo = {
      ...shown,
      key: to,
      size: source.size,
      metadata: { ...attributes.metadata },
      ...(etag === undefined ? {} : { etag: stripQuotes(etag)! }),
      ...(lastModified === undefined ? {} : { lastModified }),
      ...(versionId === undefined || versionId === 'null' ? {} : { versionId }),
    }
    return { info, sourceEtag: source.etag }
  }
  if (source.size > settings.copyThresholdBytes) {
    const answer = await copyInParts().catch(error => {
      throw conditionFailure(error, { ifMatch: undefined, ifNoneMatch })
    })
    return done(answer.ETag, undefined, answer.VersionId)
  }
  // Onto itself S3 takes only a copy that replaces something.
  const replaces = from === to || Object.keys(request.attributes).length > 0
  const input = {
    Key: to,
    MetadataDirective: replaces ? ('REPLACE' as const) : ('COPY' as const),
    ...(replaces ? sdk.attributes(attributes) : { StorageClass: sdk.attributes(attributes).StorageClass }),
    ...conditionInput({ ifMatch: undefined, ifNoneMatch }),
  }
  const answer = await sdk.copy(source, input, signal).catch(error => {
    throw conditionFailure(error, { ifMatch: undefined, ifNoneMatch })
  })
  return done(answer.CopyObjectResult?.ETag, answer.CopyObjectResult?.LastModified, answer.VersionId)

  function copyInParts() {
    return withMultipart(
      sdk,
      { key: to, attributes, algorithm: undefined, signal },
      async (upload, ended) => {
        const partSize = Math.max(settings.copyPartSizeBytes, Math.ceil(source.size / 10_000))
        const starts = Array.from(
          { length: Math.ceil(source.size / partSize) },
          (_, index) => index * partSize,
        )
        const parts = await mapBounded(starts, settings.uploadConcurrency, (start, index) =>
          sdk.copyPart(
            upload,
            source,
            {
              PartNumber: index + 1,
              CopySourceRange: `bytes=${start}-${Math.min(start + partSize, source.size) - 1}`,
            },
            ended,
          ),
        )
        return sdk.completeMultipart(upload, parts, { ifMatch: undefined, ifNoneMatch }, ended)
      },
    )
  }
}

/** What a copy keeps. The rest of what is known of an object is about the bytes or about this one of them. */
function attributesOf(info: ObjectInfo): Attributes {
  return Object.fromEntries(
    ATTRIBUTES.filter(name => info[name] !== undefined).map(name => [name, info[name]]),
  )
}
