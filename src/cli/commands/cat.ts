import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError } from 'commander'
import type { ByteRange } from '../../core/options.ts'
import { verified } from '../local-files.ts'
import { inSession, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export function catCommand(terminal: Terminal): Command {
  const command = new Command('cat')
    .summary('print objects')
    .description('Write the bytes of objects to stdout, one after the other.')
    .argument('<store>', 'URL of the store')
    .argument('<key...>', 'keys of the objects')
    .option('--range <range>', 'only these bytes, as HTTP counts: 0-99, 100- or -50', byteRange)
    .addHelpText(
      'after',
      `
Examples:
  stowage cat file:./data notes.txt
  stowage cat s3://bucket logs/1.gz logs/2.gz | zcat
  stowage cat --range 0-99 s3://bucket video.mp4 | xxd`,
    )
  return withOutputOptions(command).action((store: string, keys: string[], options: { range?: ByteRange }) =>
    inSession(terminal, command, async session => {
      const { signal } = session
      const { range } = options
      const provider = await session.open(store)
      for (const key of keys) {
        await session.attempt(async () => {
          const download = await provider.download(key, { signal, ...(range ? { range } : {}) })
          const bytes = range === undefined ? verified(download) : download
          await pipeline(bytes, terminal.stdout, { signal, end: false })
        })
      }
    }),
  )
}

function byteRange(text: string): ByteRange {
  if (/^(\d+-\d*|-\d+)$/.test(text)) return `bytes=${text}`
  throw new InvalidArgumentError('Use 0-99, 100- or -50.')
}
