import { Command } from 'commander'
import type { ObjectInfo } from '../../core/results.ts'
import { humanDate, humanSize, printable } from '../human-format.ts'
import { inSession, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export function infoCommand(terminal: Terminal): Command {
  const command = new Command('info')
    .summary('show what is known of objects')
    .description('Show size, type, dates, checksum and metadata. What the store does not say is left out.')
    .argument('<store>', 'URL of the store')
    .argument('<key...>', 'keys of the objects')
    .addHelpText(
      'after',
      `
Examples:
  stowage info file:./data a/photo.jpg
  stowage info --json s3://bucket a.jpg b.jpg | jq .size
  stowage info -q s3://bucket a.jpg > /dev/null || echo 'not there: exit code 3'`,
    )
  return withOutputOptions(command).action((store: string, keys: string[]) =>
    inSession(terminal, command, async session => {
      const provider = await session.open(store)
      let first = true
      for (const result of await provider.infoMany(keys, { signal: session.signal })) {
        await session.attempt(async () => {
          if (!result.ok) throw result.error
          await session.out.result(result.value, (first ? '' : '\n') + described(result.value))
          first = false
        })
      }
    }),
  )
}

function described(info: ObjectInfo): string {
  const { checksum, metadata = {} } = info
  const parts = checksum?.compositeParts
  const rows: [string, string | undefined][] = [
    ['key', info.key],
    [
      'size',
      `${humanSize(info.size)}${info.size < 1000 ? '' : ` (${info.size.toLocaleString('en')} bytes)`}`,
    ],
    ['type', info.contentType],
    ['modified', info.lastModified && `${humanDate(info.lastModified)} UTC`],
    ['etag', info.etag],
    [
      checksum?.algorithm ?? '',
      checksum && `${checksum.value}${parts === undefined ? '' : ` (of ${parts} parts)`}`,
    ],
    ['cache-control', info.cacheControl],
    ['content-disposition', info.contentDisposition],
    ['content-encoding', info.contentEncoding],
    ['content-language', info.contentLanguage],
    ['storage class', info.storageClass],
    ['version', info.versionId],
    ...Object.entries(metadata).map(([name, value]): [string, string] => [`meta ${name}`, value]),
  ]
  const shown = rows.filter((row): row is [string, string] => row[1] !== undefined)
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${printable(name).padEnd(width)}  ${printable(value)}`).join('\n')
}
