import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { strayCounts } from '../../../migrate/verify/strays.ts'
import { isComplete } from '../../../migrate/verify/verification-summary.ts'
import { count } from '../../argument-values.ts'
import { EXIT, Told, UsageError } from '../../exit-codes.ts'
import { inSession, withOutputOptions } from '../../session.ts'
import type { Terminal } from '../../terminal.ts'
import { type ManifestOptions, openKnownManifest, withManifestOptions } from './open-manifest.ts'

interface ReportOptions extends ManifestOptions {
  readonly html?: string
  readonly jsonl?: string
  readonly combined?: string
  readonly first?: number
}

export function reportCommand(terminal: Terminal): Command {
  const command = new Command('report')
    .summary('write what was found: a page, JSON lines, rclone’s signs')
    .description(
      'Write what the manifest knows into files, or to stdout where none is named. No store is asked: verify first. Ends with 6 unless everything is copied and matches.',
    )
    .option('--html <file>', 'a page to look at, with charts and the first differences')
    .option('--jsonl <file>', 'all objects, one JSON object a line')
    .option('--combined <file>', 'all objects as rclone check --combined has them; - for stdout')
    .option('--first <n>', 'objects of each status that the page lists (default: 200)', count)
  withManifestOptions(command).addHelpText(
    'after',
    `
Examples:
  stowage migrate report --html report.html --jsonl report.jsonl
  stowage migrate report --combined - | grep -v '^='`,
  )
  return withOutputOptions(command).action((options: ReportOptions) =>
    inSession(terminal, command, async session => {
      const { out, signal } = session
      const { html, jsonl, combined, first } = options
      const onStdout = [html, jsonl, combined].filter(file => file === '-')
      if (onStdout.length > 1) throw new UsageError('only one report can go to stdout')
      const { reportCombined, reportHtml, reportJsonl } = await import('../../../migrate/index.ts')
      const { manifest, command: stored } = await openKnownManifest(session, options)
      const write = async (file: string, lines: AsyncIterable<string>) => {
        if (file === '-') for await (const line of lines) await out.text(line)
        else await pipeline(Readable.from(lines), createWriteStream(file), { signal })
        if (file !== '-') await out.done({ action: 'report', path: file }, file)
      }
      if (combined !== undefined) await write(combined, reportCombined(manifest))
      if (jsonl !== undefined || (html === undefined && combined === undefined))
        await write(jsonl ?? '-', reportJsonl(manifest))
      if (html !== undefined) {
        const places = stored === undefined ? {} : { from: stored.from, to: stored.to }
        const page = await reportHtml(manifest, { ...places, ...(first === undefined ? {} : { first }) })
        if (html === '-') await out.text(page)
        else {
          await writeFile(html, page)
          await out.done({ action: 'report', path: html }, html)
        }
      }
      if (!isComplete(await manifest.counts(), await strayCounts(manifest)))
        throw new Told('not everything matches', EXIT.found)
    }),
  )
}
