import { Command } from 'commander'
import type { CutOver, VerifyLevel } from '../../../migrate/index.ts'
import { EXIT, Told, UsageError } from '../../exit-codes.ts'
import { humanSize, plural } from '../../human-format.ts'
import { inSession, type Session, withOutputOptions } from '../../session.ts'
import type { Terminal } from '../../terminal.ts'
import { type RecordsOption, withEngine, withRecordsOption } from '../../with-engine.ts'
import { differenceLine, phaseLine, statusText, verificationText } from './show-cutover.ts'

interface CutOverOption extends RecordsOption {
  name: string
}

type Work<Options> = (store: CutOver, session: Session, options: Options) => Promise<void>

const LEVELS: readonly VerifyLevel[] = ['attributes', 'checksum', 'content']

export function cutoverCommand(terminal: Terminal): Command {
  const make = <Options extends CutOverOption>(name: string, description: string, work: Work<Options>) =>
    ofCutOver(terminal, new Command(name).description(description), work)
  return new Command('cutover')
    .summary('move an application that runs from one store to another')
    .description(
      'Move an application that runs from one store to another: its processes use cutOver() below their records, and these commands take them through the phases. Give the stores the same way round each time, and the database that the records are in.',
    )
    .usage('<command>')
    .addCommand(make('status', 'Show the phase, the processes that hold it, and what is owed.', showStatus))
    .addCommand(
      make('advance', 'Go to the next phase, and wait until every process holds it.', (store, session) =>
        change(store, session, 'advance'),
      ),
    )
    .addCommand(
      make('back', 'Go to the phase before, and wait until every process holds it.', (store, session) =>
        change(store, session, 'back'),
      ),
    )
    .addCommand(make('backfill', 'Copy what was at the source before. Run again, it goes on.', runBackfill))
    .addCommand(make('settle', 'Copy and delete now what one side is owed.', runSettle))
    .addCommand(
      make('verify', 'Hold both sides against each other. Ends with 6 unless all matches.', runVerify).option(
        '--level <level>',
        'attributes, checksum, or content, which reads all of both sides (default: checksum)',
      ),
    )
    .addCommand(
      make(
        'differences',
        'List what compared reads have found. Ends with 6 where there is any.',
        showDifferences,
      ).option('--forget', 'and forget it: for when it has been looked at'),
    )
    .addCommand(
      make(
        'drop-source',
        'Delete from the source what the destination has. Without --apply it only counts. There is no way back from it.',
        runDrop,
      ).option('--apply', 'do it'),
    )
    .addHelpText(
      'after',
      `
Examples:
  stowage migrate cutover status supabase://avatars s3://avatars --records sqlite:./records.db
  stowage migrate cutover advance supabase://avatars s3://avatars --records sqlite:./records.db
  stowage migrate cutover verify supabase://avatars s3://avatars --records sqlite:./records.db --level content`,
    )
}

function ofCutOver<Options extends CutOverOption>(
  terminal: Terminal,
  command: Command,
  work: Work<Options>,
): Command {
  command
    .argument('<from>', 'URL of the store that is left')
    .argument('<to>', 'URL of the store that is moved to')
    .option('--name <name>', 'which cut-over, where a database has several', 'default')
  return withOutputOptions(withRecordsOption(command)).action((from: string, to: string, options: Options) =>
    inSession(terminal, command, async session => {
      const { cutOver } = await import('../../../migrate/index.ts')
      const sides = { from: await session.open(from), to: await session.open(to) }
      await withEngine(terminal, options, async engine => {
        const store = cutOver({ ...sides, engine, name: options.name })
        try {
          await work(store, session, options)
        } finally {
          await store.close()
        }
      })
    }),
  )
}

async function showStatus(store: CutOver, { out }: Session): Promise<void> {
  const status = await store.status()
  await out.result({ action: 'status', ...status }, statusText(status))
}

async function change(
  store: CutOver,
  { out, signal }: Session,
  direction: 'advance' | 'back',
): Promise<void> {
  const { phase: before, processes } = await store.status()
  const phase = await store[direction]({ signal })
  // A name or a database that the application does not have looks like an application without processes.
  if (before === 'source-only' && processes.length === 0)
    out.note('no process is listed: one that writes to the source without cutOver() is not waited for')
  await out.done({ action: direction, phase }, phaseLine(phase))
}

async function runBackfill(store: CutOver, { out, signal }: Session): Promise<void> {
  const report = await store.backfill({
    signal,
    onProgress: ({ listed }) => out.progress.count(listed, undefined, 'objects'),
  })
  out.progress.stop()
  const { listed, copied, known, failed, adopted } = report
  const met = adopted === 0 ? '' : `, ${plural(adopted, 'new file')}`
  await out.done(
    { action: 'backfill', ...report },
    `${plural(listed, 'object')}: ${copied} copied, ${known} there already, ${failed} failed${met}`,
  )
  if (failed > 0) throw new Told('not everything was copied: run it again', EXIT.temporary)
}

async function runSettle(store: CutOver, { out, signal }: Session): Promise<void> {
  const report = await store.settle({ signal })
  const { copied, swept, failed } = report
  await out.done({ action: 'settle', ...report }, `${copied} copied, ${swept} swept, ${failed} failed`)
  if (failed > 0) throw new Told('not everything was settled: it is tried again', EXIT.temporary)
}

async function runVerify(
  store: CutOver,
  { out, signal }: Session,
  { level = 'checksum' }: CutOverOption & { level?: string },
): Promise<void> {
  const known = LEVELS.find(one => one === level)
  if (known === undefined) throw new UsageError(`--level is one of ${LEVELS.join(', ')}`)
  const onProgress = (checked: number) => out.progress.count(checked, undefined, 'objects')
  const found = await store.verify({ level: known, signal, onProgress })
  out.progress.stop()
  await out.result({ action: 'verify', ...found }, verificationText(found))
  if (!found.matched) throw new Told('not everything matches', EXIT.found)
}

async function showDifferences(
  store: CutOver,
  { out }: Session,
  { forget }: CutOverOption & { forget?: true },
): Promise<void> {
  let count = 0
  for await (const difference of store.differences()) {
    count++
    await out.result({ difference }, differenceLine(difference))
  }
  if (forget) await store.forgetDifferences()
  if (count > 0 && !forget) throw new Told(plural(count, 'difference'), EXIT.found)
}

async function runDrop(
  store: CutOver,
  { out, signal }: Session,
  { apply = false }: CutOverOption & { apply?: boolean },
): Promise<void> {
  const report = await store.dropSource({ apply, signal })
  const { deleted, bytes, kept, unknown, failed } = report
  const what = `${plural(deleted, 'object')} (${humanSize(bytes)})`
  const left = `${kept} kept that the destination does not show, ${unknown} that are not ours, ${failed} failed`
  await out.done(
    { action: 'drop-source', ...report },
    `${apply ? `deleted ${what} from the source` : `would delete ${what}; add --apply to do it`}; ${left}`,
  )
  if (failed > 0) throw new Told('not everything was deleted: run it again', EXIT.temporary)
}
