/**
 * A process is killed in the middle of deleting an attachment: what is left, and what is there after a recovery.
 *
 *     node examples/saas-delete/crash.js [folder]
 *
 * Takes `DATABASE_URL` and `STOWAGE_URL` as the server does.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { heading, line, table } from '../demo/show.js'
import { openApp } from './open-app.js'

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
const given = process.argv[2]
const folder = given ?? (await mkdtemp(join(tmpdir(), 'stowage-saas-delete-')))
let store
let engine
let files
let attachments
try {
  ;({ store, engine, files, attachments } = await openApp({ folder }))
  await run()
} catch (error) {
  console.error(`\ncrash: ${error.message}`)
  process.exitCode = 1
} finally {
  await files?.close()
  if (given === undefined) await rm(folder, { recursive: true, force: true })
}

async function run() {
  line(`rows in ${engine.name}, files in ${store.name}`)

  heading('1. Killed before the transaction')
  await kill('before-transaction', { row: 'there', file: 'there', bytes: 'there', journal: 0 })
  line('Nothing had happened, and nothing has: the user deletes it again.')

  heading('2. Killed after the transaction, before the store is asked to delete')
  await kill('before-bytes', { row: 'gone', file: 'gone', bytes: 'there', journal: 1 })
  line('Row and file went together. The journal knew of the bytes, and the recovery deleted them.')

  heading('3. Killed after the store has deleted, before the journal is closed')
  await kill('after-bytes', { row: 'gone', file: 'gone', bytes: 'gone', journal: 1 })
  line('All was gone; the recovery made sure of it and closed the journal.')

  heading('Afterwards: database and store, held against each other')
  const report = await files.audit()
  line(`records: ${report.records}, jobs in the journal: ${report.jobs}`)
  line(`objects: ${report.objects}, one of them the mark of whose folder this is`)
  line(report.clean ? 'no orphan, and no record without its bytes' : 'something is left')
  expect(report.clean, 'the audit found something')
}

/** Uploads, kills a process that deletes at `moment`, and shows what is left before and after a recovery. */
async function kill(moment, expected) {
  const { id, name } = await attachments.add('contract.pdf', 'A contract of some length.', {})
  const physical = await files.physicalKey(`attachments/${id}/${name}`)
  const look = async () => ({
    row: (await attachments.find(id)) === undefined ? 'gone' : 'there',
    file: (await files.exists(`attachments/${id}/${name}`)) ? 'there' : 'gone',
    bytes: (await store.exists(physical)) ? 'there' : 'gone',
    journal: (await files.jobs()).length,
  })
  const uploaded = await look()

  const child = fork(join(import.meta.dirname, 'delete-until.js'), [folder, id, moment])
  const ended = once(child, 'exit')
  const [said] = await Promise.race([once(child, 'message'), ended])
  expect(said === moment, `the process ended before it came to ${moment}`)
  child.kill('SIGKILL')
  const [, signal] = await ended
  expect(signal === 'SIGKILL', 'the process was not killed')
  const left = await look()

  await files.recover()
  const recovered = await look()
  const row = (when, { row, file, bytes, journal }) => [when, row, file, bytes, `${journal}`]
  table(
    ['', 'row', 'file', 'bytes', 'journal'],
    [row('uploaded', uploaded), row('killed', left), row('recovered', recovered)],
  )
  console.log()
  expect(JSON.stringify(left) === JSON.stringify(expected), 'the process left something else than it should')
  expect(
    recovered.row === recovered.file && recovered.file === recovered.bytes && recovered.journal === 0,
    'the recovery left something half',
  )
  await attachments.remove(id)
}

function expect(holds, otherwise) {
  if (!holds) throw new Error(otherwise)
}
