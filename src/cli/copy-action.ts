import type { Command } from 'commander'
import { fileNameOf } from '../core/content-disposition.ts'
import type { ObjectInfo, StorageProvider } from '../core/provider.ts'
import { isStoreUrl } from '../open/store-url.ts'
import { folderPrefix } from './argument-values.ts'
import { eachBounded } from './each-bounded.ts'
import { UsageError } from './exit-codes.ts'
import { humanSize, plural, printable } from './human-format.ts'
import { objectOf, objectsIn } from './objects-in.ts'
import { inSession, type Session } from './session.ts'
import type { Terminal } from './terminal.ts'
import { transfer } from './transfer.ts'

interface CopyOptions {
  recursive?: true
  dryRun?: true
  overwrite: boolean
}

/** The two ends of a copy. Absent `other`: within one store. */
interface Ends {
  readonly store: string
  readonly from: string
  readonly other: string | undefined
  readonly to: string
}

interface Job {
  readonly kind: 'cp' | 'mv'
  readonly source: StorageProvider
  readonly destination: StorageProvider
  readonly options: CopyOptions
  readonly session: Session
  readonly lost: Set<string>
}

const VERB = { cp: 'copy', mv: 'move' } as const

/** What `cp` and `mv` do. */
export function copyAction(kind: 'cp' | 'mv', terminal: Terminal, command: Command) {
  return (given: string[], options: CopyOptions) =>
    inSession(terminal, command, async session => {
      const { store, from, other, to } = readArguments(kind, given, options)
      const source = await session.open(store)
      const destination = other === undefined ? source : await session.open(other)
      const job: Job = { kind, source, destination, options, session, lost: new Set() }
      const { out, signal } = session
      let count = 0
      let seen = 0
      let bytes = 0
      await eachBounded(
        options.recursive ? objectsIn(source, folderPrefix(from), signal) : theObject(source, from, signal),
        entry => {
          seen++
          if (!options.dryRun) out.progress.expect(entry.size)
        },
        entry =>
          session.attempt(async () => {
            await copyOne(job, entry, newKey(entry.key, from, to, options.recursive === true))
            count++
            bytes += entry.size
          }),
      )
      if (seen === 0) out.note('nothing is stored in this store')
      for (const name of job.lost) out.note(`${name} is not kept by ${destination.name}`)
      if (count > 1 && !options.dryRun) out.note(`${plural(count, 'object')}, ${humanSize(bytes)}`)
    })
}

function readArguments(kind: Job['kind'], given: string[], { recursive }: CopyOptions): Ends {
  const [store, ...rest] = given
  if (!isStoreUrl(store!)) throw new UsageError('name the store first, such as file:./data or s3://bucket')
  if (recursive && rest.length === 1 && isStoreUrl(rest[0]!))
    return { store: store!, from: '.', other: rest[0], to: '.' }
  if (rest.length === 1 && isStoreUrl(rest[0]!))
    throw new UsageError(`name a key between the stores, or add -r to ${VERB[kind]} everything`)
  if (rest.length === 2 && !isStoreUrl(rest[1]!))
    return { store: store!, from: rest[0]!, other: undefined, to: rest[1]! }
  if (rest.length === 2)
    return { store: store!, from: rest[0]!, other: rest[1], to: recursive ? rest[0]! : '.' }
  if (rest.length === 3 && isStoreUrl(rest[1]!))
    return { store: store!, from: rest[0]!, other: rest[1], to: rest[2]! }
  throw new UsageError('use <store> <key> <new-key>, or <store> <key> <other-store> <new-key>')
}

function newKey(key: string, from: string, to: string, recursive: boolean): string {
  if (recursive) return folderPrefix(to) + key.slice(folderPrefix(from).length)
  return to === '.' || to.endsWith('/') ? folderPrefix(to) + fileNameOf(key) : to
}

async function* theObject(source: StorageProvider, key: string, signal: AbortSignal) {
  yield await objectOf(source, key, signal)
}

async function copyOne(job: Job, entry: ObjectInfo, to: string): Promise<void> {
  const { kind, options, session } = job
  const { out } = session
  const arrow = `${printable(entry.key)} -> ${printable(to)}`
  if (options.dryRun) {
    await out.result({ action: kind, dryRun: true, from: entry.key, key: to }, `would ${VERB[kind]} ${arrow}`)
    return
  }
  try {
    const info = await (job.source === job.destination ? within(job, entry, to) : across(job, entry, to))
    await out.done({ action: kind, from: entry.key, ...info }, `${arrow}  ${humanSize(info.size)}`)
  } finally {
    out.progress.end()
  }
}

async function within(
  { kind, source, options, session }: Job,
  entry: ObjectInfo,
  to: string,
): Promise<ObjectInfo> {
  const { signal, out } = session
  const condition = options.overwrite ? {} : { ifNoneMatch: '*' as const }
  const info = await source[kind === 'cp' ? 'copy' : 'move'](entry.key, to, { signal, ...condition })
  out.progress.track()({ loaded: entry.size })
  return info
}

async function across(
  { kind, source, destination, options, session, lost }: Job,
  entry: ObjectInfo,
  to: string,
) {
  const { signal, out } = session
  const { before, after } = await transfer(source, entry.key, destination, to, {
    signal,
    overwrite: options.overwrite,
    onProgress: out.progress.track(),
    onLost: name => void lost.add(name),
  })
  if (kind === 'mv') {
    // What has been replaced meanwhile is not what was copied.
    const same = source.capabilities.conditionalDelete === true ? { ifMatch: before.etag } : {}
    await source.delete(entry.key, { signal, ...same })
  }
  return after
}
