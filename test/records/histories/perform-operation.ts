import { isStorageError, StorageError } from '../../../src/core/errors.ts'
import type { RecordedFiles } from '../../../src/records/index.ts'
import type { Statement } from '../../../src/sql/engine.ts'
import type { World } from '../support/world.ts'
import { hasRow } from './history.ts'
import type { LogEntry } from './history-log.ts'

const options = { contentType: 'text/plain' }

/** Does one operation of a history. What it returns is what the check looks at. */
export async function perform(
  world: World,
  files: RecordedFiles,
  client: string,
  entry: LogEntry,
): Promise<unknown> {
  const { operation, text } = entry
  switch (operation.do) {
    case 'upload': {
      const { key } = operation
      const condition = await conditionOf(files, key, entry)
      return (await files.upload(key, text!, { ...options, ...condition, ...appears(key) })).etag
    }
    case 'finalize': {
      const { uploadId } = await files.signedUpload(operation.key, { expiresIn: 600 })
      await send(world, client, uploadId!, text!)
      return finalize(files, uploadId!, operation)
    }
    case 'copy':
      return (await files.copy(operation.from, operation.to, appears(operation.to))).etag
    case 'move': {
      const { from, to } = operation
      return (await files.move(from, to, from === to ? {} : also(goes(from), comes(to)))).etag
    }
    case 'restore':
      return (await files.restore(operation.key, appears(operation.key))).etag
    case 'delete': {
      const condition = await conditionOf(files, operation.key, entry)
      return [await files.delete(operation.key, { ...condition, ...also(goes(operation.key)) })]
    }
    case 'deleteMany':
      return files.deleteMany(operation.keys, also(...operation.keys.map(goes)))
    case 'download': {
      const download = await files.download(operation.key)
      return { etag: download.info.etag, text: await download.text() }
    }
    case 'info':
      return { etag: (await files.info(operation.key)).etag }
    case 'list': {
      const { items } = await files.list().page()
      return items.map(item => (item.kind === 'object' ? [item.key, item.etag] : []))
    }
    case 'recover':
      return files.recover()
    case 'recoverAndWait':
      return files.recover({ waitForLeases: true })
    case 'advance':
      return world.simulation.enter({
        client,
        call: 'clock.advance',
        about: '',
        hasId: false,
        writes: false,
        perform: async () => world.simulation.clock.advance(operation.ms),
        failures: { none: () => undefined, unknown: () => undefined },
      })
  }
}

/** Two at once make one file of an upload. */
async function finalize(
  files: RecordedFiles,
  uploadId: string,
  { key, twice = false }: { key: string; twice?: boolean },
) {
  const calls = Array.from({ length: twice ? 2 : 1 }, () => files.finalize(uploadId, appears(key)))
  const ended = await Promise.allSettled(calls)
  const made = ended.flatMap(one => (one.status === 'fulfilled' ? [one.value.etag] : []))
  if (new Set(made).size === 1) return made[0]
  if (made.length > 0) return made.join(' and ')
  const errors = ended.flatMap(one => (one.status === 'rejected' ? [one.reason] : []))
  throw errors.find(error => isStorageError(error, 'pending')) ?? errors[0]
}

async function conditionOf(files: RecordedFiles, key: string, entry: LogEntry) {
  const { condition } = entry.operation as { condition?: 'absent' | 'unchanged' }
  if (condition === 'absent') return { ifNoneMatch: '*' } as const
  if (condition !== 'unchanged') return {}
  const etag = await files.info(key).then(
    info => info.etag!,
    error => {
      if (isStorageError(error, 'not-found')) return 'none'
      throw error
    },
  )
  entry.condition = etag
  return { ifMatch: etag }
}

/** What a browser does with the URL that it got. */
function send(world: World, client: string, uploadId: string, text: string): Promise<unknown> {
  return world.simulation.enter({
    client,
    call: 'browser.put',
    about: uploadId,
    hasId: false,
    writes: false,
    async perform() {
      const [job] = await world.engine.query([
        'SELECT physical FROM t_default__journal WHERE id = ?',
        uploadId,
      ])
      await world.provider.upload(String(job!.physical), text, options)
    },
    failures: { none: notSent, unknown: notSent },
  })
}

const notSent = () => new StorageError('unavailable', 'the browser could not send it')

const comes = (key: string): Statement[] =>
  hasRow(key) ? [['INSERT INTO app (key) VALUES (?) ON CONFLICT (key) DO NOTHING', key]] : []
const goes = (key: string): Statement[] => (hasRow(key) ? [['DELETE FROM app WHERE key = ?', key]] : [])
const appears = (key: string) => also(comes(key))

function also(...statements: readonly Statement[][]): { also?: Statement[] } {
  const all = statements.flat()
  return all.length === 0 ? {} : { also: all }
}
