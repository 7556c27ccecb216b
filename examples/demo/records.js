import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { local } from 'stowage/local'
import { withRecords } from 'stowage/records'
import { sqlite } from 'stowage/sqlite'
import { ulid } from 'ulid'
import { heading, line, size, table } from './show.js'

const DAY_MS = 86_400_000
const MOST_NAMED = 3

/** The same files with their records in SQLite: found, deleted by a process that is killed, and swept. */
export async function showRecords(workspace, paths, { signal }) {
  const clock = { ahead: 0 }
  const now = () => Date.now() + clock.ahead
  const places = { root: join(workspace, 'recorded'), database: join(workspace, 'records.db') }
  const store = local({ root: places.root, now })
  const files = withRecords(store, sqlite({ path: places.database, now }), { now })
  try {
    heading('5. Store them with records in SQLite, and find them there')
    await storeAll(files, paths, signal)
    const example = await oneOf(files)
    await findLike(files, example)

    heading('6. Kill a process in the middle of a delete, and recover')
    await killWhileDeleting(files, store, example.key, places)

    heading('7. Plant an orphan, find it, and collect it')
    await plantAndCollect(files, store, clock)
  } finally {
    await files.close()
  }
}

async function storeAll(files, paths, signal) {
  for (const { key, path } of paths) {
    const folder = key.includes('/') ? key.slice(0, key.indexOf('/')) : ''
    await files.upload(key, createReadStream(path), { metadata: { folder }, checksum: 'sha256', signal })
  }
}

/** A photo, where there is one. */
async function oneOf(files) {
  const photos = await files.find({ contentType: 'image/jpeg' }).page({ limit: 1 })
  const any = await files.find().page({ limit: 1 })
  return [...photos.items, ...any.items][0]
}

/** By type, by size and by metadata: the database answers, and the store is not asked. */
async function findLike(files, { contentType, metadata }) {
  const kind = `${contentType.split('/')[0]}/*`
  const queries = [{}, { contentType: kind }, { size: { max: 1000 } }, { metadata }]
  const rows = []
  for (const query of queries) {
    const found = []
    for await (const file of files.find(query)) found.push(file)
    const bytes = found.reduce((sum, file) => sum + file.size, 0)
    const named = found.slice(0, MOST_NAMED).map(file => file.key)
    if (found.length > MOST_NAMED) named.push('…')
    rows.push([shown(query), `${found.length}`, size(bytes), named.join(', ')])
  }
  table(['find(…)', 'files', 'bytes', 'keys'], rows)
}

async function killWhileDeleting(files, store, key, { root, database }) {
  const physical = await files.physicalKey(key)
  const child = fork(join(import.meta.dirname, 'delete-until-killed.js'), [root, database, key])
  const ended = once(child, 'exit')
  const [said] = await Promise.race([once(child, 'message'), ended])
  child.kill('SIGKILL')
  const [, signal] = await ended
  if (said !== 'hidden' || signal !== 'SIGKILL') throw new Error('the process ended before it was killed')
  line(`killed with SIGKILL: it had hidden ${key}, and was about to delete its bytes`)

  const look = async when => {
    const isThere = await files.exists(key)
    const hasBytes = await store.exists(physical)
    const journal = (await files.jobs()).length
    return [when, isThere ? 'there' : 'not found', hasBytes ? 'on the disk' : 'gone', `${journal}`]
  }
  const killed = await look('killed')
  const { worked } = await files.recover()
  const recovered = await look('recovered')
  table(['', 'for readers', 'its bytes', 'in the journal'], [killed, recovered])
  if (`${killed.slice(1)}` !== 'not found,on the disk,1' || `${recovered.slice(1)}` !== 'not found,gone,0')
    throw new Error('the delete was left half done')
  line(`recover() found ${worked} in the journal and did it`)
}

async function plantAndCollect(files, store, clock) {
  const physical = `${files.tenantId}/left-behind.${ulid().toLowerCase()}.txt`
  await store.upload(physical, 'bytes that no record knows')
  const { counts } = await files.audit()
  if (counts.orphan !== 1) throw new Error('the audit did not find it')
  line(`audit() finds ${physical}`)
  const early = await files.collect({ apply: true })
  if (early.waiting !== 1 || early.removed !== 0) throw new Error('it was removed without a grace')
  line('collect() leaves it: it may be an upload under way, and is looked at again a day later')

  clock.ahead += DAY_MS + 1000
  const dry = await files.collect({ maxShare: 1 })
  if (dry.orphans !== 1 || dry.removed !== 0) throw new Error('the dry run did not see it, or removed it')
  line("a day later by the demo's clock, a dry run says that it would go")
  const cautious = await files.collect({ apply: true })
  if (cautious.stopped !== undefined)
    line(`1 of ${cautious.objects} objects is more than the 1 % that collect() dares: nothing went`)
  const { removed } =
    cautious.stopped === undefined ? cautious : await files.collect({ apply: true, maxShare: 1 })
  if (removed !== 1 || (await store.exists(physical))) throw new Error('it was not collected')
  line('with maxShare: 1 it goes, and a copy stays in quarantine for another day')

  clock.ahead += DAY_MS + 1000
  await files.recover()
  const { clean } = await files.audit()
  if (!clean) throw new Error('something is left')
  line('another day later nothing of it is left, and audit() finds nothing')
}

/** `{ size: { max: 1000 } }`, as one would write it. */
function shown(query) {
  return JSON.stringify(query)
    .replace(/"(\w+)":/g, ' $1: ')
    .replaceAll('"', "'")
    .replace(/\}/g, ' }')
    .replace('{ }', '')
}
