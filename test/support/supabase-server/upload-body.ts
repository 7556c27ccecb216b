/** What an upload carries: bytes, content type, cache control and user metadata, from a binary body or a form. */
import { type Exchange, header, readBytes } from './http-exchange.ts'
import { failures } from './storage-failure.ts'
import type { Bucket } from './storage-state.ts'

export interface UploadBody {
  mimetype: string
  cacheControl: string
  userMetadata: Record<string, unknown>
  xRobotsTag?: string
  /** Only a form is checked after its bytes are in; a binary body is never looked at again. */
  read(): Promise<Buffer>
}

export interface UploadRules {
  allowedMimeTypes: string[] | null
  maxBytes: number
}

export function rulesOf(bucket: Bucket, name: string, standardBytes: number): UploadRules {
  if (name.endsWith('.emptyFolderPlaceholder')) return { allowedMimeTypes: null, maxBytes: 0 }
  return {
    allowedMimeTypes: bucket.allowedMimeTypes?.length ? bucket.allowedMimeTypes : null,
    maxBytes: Math.min(standardBytes, bucket.fileSizeLimit ?? standardBytes),
  }
}

/** Exact to the last parameter: `image/png; charset=utf-8` is not `image/png`. */
export function requireMime(mimetype: string, allowed: string[] | null): void {
  if (!allowed) return
  const [type, subtype] = mimetype.split('/')
  const fits = allowed.some(entry => {
    const [allowedType, allowedSubtype] = entry.split('/')
    return allowedType === type && (allowedSubtype === '*' || allowedSubtype === subtype)
  })
  if (!fits || subtype === undefined) throw failures.mimeNotAllowed(mimetype)
}

/** An array and a string reach the database as they are, which refuses them; what isn't JSON is dropped in silence. */
function userMetadataOf(json: string | undefined): Record<string, unknown> {
  if (json === undefined) return {}
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return {}
  }
  if (Array.isArray(value) || typeof value === 'string') throw failures.invalidJson()
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

export function headerMetadata(exchange: Exchange): Record<string, unknown> | undefined {
  const encoded = header(exchange, 'x-metadata')
  if (encoded === undefined) return undefined
  return userMetadataOf(Buffer.from(encoded, 'base64').toString('utf8'))
}

export async function uploadBody(exchange: Exchange, rules: UploadRules): Promise<UploadBody> {
  const contentType = header(exchange, 'content-type')
  if (contentType?.startsWith('multipart/form-data')) return formBody(exchange, contentType, rules)
  if (contentType !== undefined && !contentType.includes('/')) throw failures.mimeInvalid()
  const mimetype = contentType ?? 'application/octet-stream'
  requireMime(mimetype, rules.allowedMimeTypes)
  const userMetadata = headerMetadata(exchange) ?? {}
  const declared = header(exchange, 'content-length')
  if (declared !== undefined && Number(declared) > rules.maxBytes) throw failures.tooLarge()
  const robots = header(exchange, 'x-robots-tag')
  return {
    mimetype,
    cacheControl: header(exchange, 'cache-control') ?? 'no-cache',
    userMetadata,
    ...(robots === undefined ? {} : { xRobotsTag: robots }),
    read: () => readBytes(exchange),
  }
}

interface FormPart {
  name: string
  isFile: boolean
  contentType: string | undefined
  bytes: Buffer
}

async function formBody(exchange: Exchange, contentType: string, rules: UploadRules): Promise<UploadBody> {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1]
  if (boundary === undefined) throw failures.noContent()
  const parts = formParts(await readBytes(exchange), boundary)
  const file = parts.find(part => part.isFile)
  if (!file) throw failures.noContent()
  const field = (name: string) =>
    parts.find(part => !part.isFile && part.name === name)?.bytes.toString('utf8')
  const mimetype = field('contentType') ?? file.contentType ?? 'application/octet-stream'
  requireMime(mimetype, rules.allowedMimeTypes)
  const seconds = field('cacheControl')
  return {
    mimetype,
    cacheControl: seconds ? `max-age=${seconds}` : 'no-cache',
    userMetadata: userMetadataOf(field('metadata') ?? field('userMetadata')),
    read: async () => {
      if (file.bytes.length > rules.maxBytes) throw failures.tooLarge()
      return file.bytes
    },
  }
}

export function formParts(body: Buffer, boundary: string): FormPart[] {
  const parts: FormPart[] = []
  const mark = Buffer.from(`--${boundary}`)
  let at = body.indexOf(mark)
  while (at >= 0) {
    const next = body.indexOf(mark, at + mark.length)
    if (next < 0) break
    // Between two marks: CRLF, headers, empty line, bytes, CRLF.
    const part = body.subarray(at + mark.length + 2, next - 2)
    const headEnd = part.indexOf('\r\n\r\n')
    const head = part.subarray(0, headEnd).toString('utf8')
    parts.push({
      name: /[; ]name="([^"]*)"/.exec(head)?.[1] ?? '',
      isFile: /filename=/.test(head),
      contentType: /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim(),
      bytes: part.subarray(headEnd + 4),
    })
    at = next
  }
  return parts
}
