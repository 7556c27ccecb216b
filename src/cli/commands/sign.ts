import { Command, Option } from 'commander'
import type { SignedMethod } from '../../core/capabilities.ts'
import type { SignedUpload, SignedUrl } from '../../core/results.ts'
import { byteCount, duration } from '../argument-values.ts'
import { UsageError } from '../exit-codes.ts'
import { inSession, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface SignOptions {
  expires: number
  method: SignedMethod
  download?: string | true
  type?: string
  maxSize?: number
}

export function signCommand(terminal: Terminal): Command {
  const command = new Command('sign')
    .summary('make URLs that anyone may use for a while')
    .description('Print a signed URL for each key. Signing does not check that the object exists.')
    .argument('<store>', 'URL of the store')
    .argument('<key...>', 'keys of the objects')
    .addOption(
      new Option('-e, --expires <duration>', 'lifetime: 90s, 10m, 1h, 7d')
        .default(900, '15m')
        .argParser(duration),
    )
    .addOption(
      new Option('-m, --method <method>', 'what the URL is for')
        .choices(['GET', 'HEAD', 'PUT', 'DELETE'])
        .default('GET')
        .argParser(text => text.toUpperCase()),
    )
    .option('-d, --download [name]', 'make browsers save it, under this name')
    .option('-t, --type <type>', 'PUT only: the upload must have this type')
    .option('--max-size <bytes>', 'PUT only: the upload may have so many bytes, such as 10MB', byteCount)
    .addHelpText(
      'after',
      `
S3 and Supabase sign by themselves. Files on this machine are served by a server of yours, or by 'stowage serve':
set STOWAGE_URL_SECRET and STOWAGE_BASE_URL as it has them.

Examples:
  stowage sign s3://bucket a/photo.jpg --expires 10m
  stowage sign s3://bucket report.pdf --download 'Report 2026.pdf'
  curl -T photo.jpg "$(stowage sign file:./data in/photo.jpg --method PUT --type image/jpeg)" -H 'content-type: image/jpeg'`,
    )
  return withOutputOptions(command).action((store: string, keys: string[], options: SignOptions) =>
    inSession(terminal, command, async ({ out, signal, open, attempt }) => {
      const { expires: expiresIn, method, download, type: contentType, maxSize } = options
      if (!['GET', 'HEAD', 'PUT', 'DELETE'].includes(method))
        throw new UsageError('--method is GET, HEAD, PUT or DELETE')
      const provider = await open(store)
      if (provider.capabilities.signedUrl === false && ['local', 'memory'].includes(provider.name)) {
        throw new UsageError(
          "to sign URLs of this store, set STOWAGE_URL_SECRET and STOWAGE_BASE_URL as its server has them; 'stowage serve' is one",
        )
      }
      if (maxSize !== undefined) {
        if (method !== 'PUT') throw new UsageError('--max-size goes with --method PUT')
        for (const key of keys) {
          await attempt(async () => {
            const upload = await provider.signedUpload(key, { expiresIn, contentType, maxSize, signal })
            await out.result({ key, ...upload }, described(upload))
          })
        }
        return
      }
      const given = {
        expiresIn,
        method,
        signal,
        ...(download ? { download } : {}),
        ...(contentType ? { contentType } : {}),
      }
      for (const result of await provider.signedUrls(keys, given)) {
        await attempt(async () => {
          if (!result.ok) throw result.error
          await out.result({ key: result.key, ...result.value }, result.value.url)
        })
      }
    }),
  )
}

/** A URL alone is not enough for a form. */
function described(upload: SignedUpload | SignedUrl): string {
  if (!('fields' in upload)) return upload.url
  const fields = Object.entries(upload.fields).map(([name, value]) => `  ${name}=${value}`)
  return [`POST ${upload.url}`, ...fields, '  file=@…'].join('\n')
}
