import type { Capabilities } from '../../core/capabilities.ts'
import type { KeyRules } from '../../core/keys.ts'

/**
 * What both stores can. Conditions are none of it: an etag is one side's own, and of two processes in neighbouring phases each would
 * ask another side.
 */
export function bothCapabilities(from: Capabilities, to: Capabilities): Capabilities {
  const { layers: _, ...rest } = from
  return {
    ...rest,
    layers: ['cutOver'],
    createOnly: false,
    conditionalReplace: false,
    conditionalRead: false,
    conditionalCopySource: false,
    createOnlyCopy: false,
    conditionalDelete: false,
    versionedDelete: false,
    resumableUpload: false,
    metadata: from.metadata && to.metadata,
    cacheControl: from.cacheControl && to.cacheControl,
    contentDisposition: from.contentDisposition && to.contentDisposition,
    contentEncoding: from.contentEncoding && to.contentEncoding,
    contentLanguage: from.contentLanguage && to.contentLanguage,
    storageClass: from.storageClass && to.storageClass,
    checksums: from.checksums.filter(algorithm => to.checksums.includes(algorithm)),
    checksumAlways: from.checksumAlways && to.checksumAlways,
    unfinishedUploads: from.unfinishedUploads || to.unfinishedUploads,
    deleteReportsMissing: from.deleteReportsMissing && to.deleteReportsMissing,
    writable: from.writable && to.writable,
    keys: bothRules(from.keys, to.keys),
    ...least('maxObjectBytes', from, to),
    signedUrl: bothSigning(from.signedUrl, to.signedUrl),
    signedUpload: bothUploads(from.signedUpload, to.signedUpload),
    publicUrl: false,
  }
}

function bothRules(a: KeyRules, b: KeyRules): KeyRules {
  const allowed = [a.allowed, b.allowed].filter(rule => rule !== undefined)
  return {
    maxBytes: Math.min(a.maxBytes, b.maxBytes),
    maxSegmentBytes: Math.min(a.maxSegmentBytes, b.maxSegmentBytes),
    emptySegments: a.emptySegments && b.emptySegments,
    fileAndFolder: a.fileAndFolder && b.fileAndFolder,
    caseSensitive: a.caseSensitive && b.caseSensitive,
    normalizationSensitive: a.normalizationSensitive && b.normalizationSensitive,
    ...(allowed.length === 1 && { allowed: allowed[0]! }),
    ...(allowed.length === 2 && {
      allowed: new RegExp(`(?=${allowed[0]!.source})(?:${allowed[1]!.source})`, 'su'),
    }),
  }
}

function bothSigning(a: Capabilities['signedUrl'], b: Capabilities['signedUrl']): Capabilities['signedUrl'] {
  if (a === false || b === false) return false
  const hasDefault = a.defaultExpiresIn !== undefined && b.defaultExpiresIn !== undefined
  return {
    methods: a.methods.filter(method => b.methods.includes(method)),
    ...least('maxExpiresIn', a, b),
    ...(hasDefault && least('defaultExpiresIn', a, b)),
    checksExistence: a.checksExistence && b.checksExistence,
    bindsContentType: a.bindsContentType && b.bindsContentType,
    bindsDownload: a.bindsDownload && b.bindsDownload,
  }
}

function bothUploads(
  a: Capabilities['signedUpload'],
  b: Capabilities['signedUpload'],
): Capabilities['signedUpload'] {
  if (a === false || b === false) return false
  return {
    choosesExpiry: a.choosesExpiry && b.choosesExpiry,
    ...least('maxExpiresIn', a, b),
    size: a.size && b.size,
    maxSize: a.maxSize && b.maxSize,
    contentType: a.contentType && b.contentType,
    finalizes: a.finalizes || b.finalizes,
  }
}

function least<Name extends string>(
  name: Name,
  a: { readonly [Key in Name]?: number },
  b: { readonly [Key in Name]?: number },
): { [Key in Name]?: number } {
  const values = [a[name], b[name]].filter(value => value !== undefined)
  return values.length === 0 ? {} : ({ [name]: Math.min(...values) } as { [Key in Name]?: number })
}
