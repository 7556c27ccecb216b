import type { ObjectInfo } from '../core/results.ts'

/**
 * What the conditions of a read come to, in the order of RFC 9110, 13.2.2: 412, 304, or undefined to go on.
 */
export function failedCondition(
  headers: Headers,
  info: Pick<ObjectInfo, 'etag' | 'lastModified'>,
): 304 | 412 | undefined {
  const ifMatch = headers.get('if-match')
  if (ifMatch !== null) {
    if (!listsEtag(ifMatch, info.etag, 'strong')) return 412
  } else if (isLater(info.lastModified, headers.get('if-unmodified-since'))) return 412
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== null) return listsEtag(ifNoneMatch, info.etag, 'weak') ? 304 : undefined
  const since = headers.get('if-modified-since')
  if (since === null || info.lastModified === undefined || Number.isNaN(Date.parse(since))) return undefined
  return isLater(info.lastModified, since) ? undefined : 304
}

/** Whether `Range` counts: without `If-Range`, or where that names what is stored now (RFC 9110, 13.1.5). */
export function rangeApplies(headers: Headers, info: ObjectInfo): boolean {
  const ifRange = headers.get('if-range')
  if (ifRange === null) return true
  if (ifRange.startsWith('"')) return ifRange === quoted(info.etag)
  return info.lastModified !== undefined && ifRange === info.lastModified.toUTCString()
}

/** The one etag of an `If-Match` of a write, without quotes. @returns undefined where it is none or several */
export function singleEtag(header: string): string | undefined {
  return /^"([\x21\x23-\x7e\x80-\xff]+)"$/.exec(header.trim())?.[1]
}

export function quoted(etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : `"${etag}"`
}

function listsEtag(header: string, etag: string | undefined, comparison: 'weak' | 'strong'): boolean {
  if (header.trim() === '*') return true
  for (const [, weak, value] of header.matchAll(/(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g)) {
    if (value === etag && (comparison === 'weak' || weak === undefined)) return true
  }
  return false
}

/** Compared in whole seconds, which is all that the header can say. */
function isLater(lastModified: Date | undefined, header: string | null): boolean {
  const limit = header === null ? Number.NaN : Date.parse(header)
  if (lastModified === undefined || Number.isNaN(limit)) return false
  return Math.floor(lastModified.getTime() / 1000) > Math.floor(limit / 1000)
}
