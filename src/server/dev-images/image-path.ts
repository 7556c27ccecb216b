/** The path of an image URL, taken apart as imgproxy does. */
import { invalidUrl } from './image-refusal.ts'
import { newProcessing, type Processing, RESIZE_TYPES } from './processing.ts'
import { applyOption, applyPresets, type OptionContext, setFormat } from './processing-options.ts'

export interface SignedPath {
  readonly signature: string
  /** What is signed: from the slash after the signature on. */
  readonly path: string
}

export interface ImageRequest {
  /** As the URL's author gave it: `https://…`, `s3://bucket/key`, `local:///key`. */
  readonly source: string
  readonly processing: Processing
}

/**
 * Splits off the signature, and undoes what proxies do to the rest: `%3A` in options becomes `:`, and a scheme that
 * lost one of its slashes gets it back. imgproxy does so before it checks the signature.
 */
export function splitSignature(pathname: string): SignedPath {
  const [, signature = '', rest = ''] = /^\/*([^/]*)\/(.*)$/s.exec(pathname) ?? []
  if (signature === '' || rest === '') throw invalidUrl('the path has no signature or no source')
  return { signature, path: `/${repaired(rest)}` }
}

function repaired(path: string): string {
  const plain = /^(?:(.*?)\/)?plain\/(.*)$/s.exec(path)
  const options = (plain === null ? path : (plain[1] ?? '')).replaceAll('%3A', ':')
  if (plain === null) return options
  // The last `:/` of all, wherever it stands: so a source that is not encoded and holds one is refused.
  const source = plain[2]!.replace(/^(\S+):\/(?=[^/])/, (_, scheme: string) =>
    scheme === 'local' ? 'local:///' : `${scheme}://`,
  )
  return `${options === '' ? '' : `${options}/`}plain/${source}`
}

/** @throws a refusal for an option, a preset, a format or an encoding that is not known here, and for expired URLs */
export function parsePath(path: string, context: OptionContext, onlyPresets: boolean): ImageRequest {
  const segments = path.slice(1).split('/')
  const processing = newProcessing()
  if (context.presets.has('default')) applyPresets(processing, ['default'], context)
  let rest: string[]
  if (onlyPresets) {
    applyPresets(processing, segments[0]!.split(':'), context)
    rest = segments.slice(1)
  } else {
    if ((RESIZE_TYPES as readonly string[]).includes(segments[0]!))
      throw invalidUrl('the basic URL format is no longer known to imgproxy: use rs:fit:300:300')
    // The first segment without a colon begins the source, an empty one too: so `//` ends the options.
    const end = segments.findIndex(segment => !segment.includes(':'))
    rest = end === -1 ? [] : segments.slice(end)
    for (const segment of segments.slice(0, end === -1 ? segments.length : end)) {
      const [name, ...args] = segment.split(':')
      applyOption(processing, name!, args, context)
    }
  }
  const plain = rest[0] === 'plain' && rest.length > 1
  const { source, extension } = plain ? plainSource(rest.slice(1).join('/')) : base64Source(rest.join(''))
  if (extension !== '' && !processing.raw) setFormat(processing, extension)
  return { source, processing }
}

interface Source {
  readonly source: string
  readonly extension: string
}

function plainSource(encoded: string): Source {
  const { source, extension } = split(encoded, '@')
  try {
    return { source: decodeURIComponent(source), extension }
  } catch {
    throw invalidUrl('the source is not percent-encoded: use encodeURIComponent once, on the whole of it')
  }
}

function base64Source(encoded: string): Source {
  const { source, extension } = split(encoded, '.')
  const bare = source.replace(/=+$/, '')
  if (!/^[\w-]+$/.test(bare) || bare.length % 4 === 1)
    throw invalidUrl('the source is neither base64url nor does it follow /plain/; or an option has no colon')
  return { source: Buffer.from(bare, 'base64url').toString(), extension }
}

function split(encoded: string, mark: '@' | '.'): Source {
  const [source = '', extension = '', ...more] = encoded.split(mark)
  if (source === '') throw invalidUrl('the URL has no source')
  if (more.length > 0) throw invalidUrl(`the source holds more than one ${mark}: encode it`)
  return { source, extension }
}
