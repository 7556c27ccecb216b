/**
 * Odd messages to three tenants, verified byte for byte in both places where they are kept.
 *
 *     node examples/tenants/demo.js
 *     MAIL_DB=rqlite://127.0.0.1:4001 node examples/tenants/demo.js
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { heading, line, table } from '../demo/show.js'
import { startMailCatcher } from './mail-catcher.js'
import { ODD_MESSAGES } from './odd-messages.js'
import { sendMail } from './send-mail.js'

// No two of them must be taken for each other.
const TENANTS = ['mail_demo_a', 'mail_demo_ab', 'mail_demo_a_b']

const folder = await mkdtemp(join(tmpdir(), 'stowage-tenants-'))
let catcher
try {
  catcher = await startMailCatcher({ tenants: TENANTS, folder })
  await run()
} catch (error) {
  console.error(`\ntenants: ${error.message}`)
  process.exitCode = 1
} finally {
  await catcher?.close()
  await rm(folder, { recursive: true, force: true })
}

async function run() {
  line(`one catcher on ${catcher.database}, ${TENANTS.length} tenants`)
  await removeAll()

  heading(`1. ${ODD_MESSAGES.length} messages to each of them, by SMTP`)
  for (const [index, tenant] of TENANTS.entries())
    for (const [what, raw] of ODD_MESSAGES) {
      const recipients = [`anyone@${tenant.replaceAll('_', '-')}.test`]
      await sendMail(catcher.smtp.port, {
        sender: 'a@example.org',
        recipients,
        raw: signed(raw, index),
      }).catch(error => fail(`${what} was not taken: ${error.message}`))
    }
  line(`${TENANTS.length * ODD_MESSAGES.length} sent`)

  heading('2. Read back by HTTP, from the file and from the table')
  const rows = []
  for (const [index, tenant] of TENANTS.entries()) rows.push([tenant, ...(await verify(tenant, index))])
  table(['tenant', 'mails', 'files', 'BLOBs'], rows)
  line(`all have the sha256 of what was sent`)

  heading('3. One is deleted; all others stay')
  await deleteOne()

  heading('4. All are deleted; file, record and row of each together')
  await removeAll()
  for (const tenant of TENANTS) {
    const report = await catcher.files.tenant(tenant).audit()
    if (!report.clean || report.records > 0) fail(`something is left of ${tenant}`)
  }
  line('no record, no row and no file is left; their tables stay')
}

/** What a tenant got differs from what the others got: one that reads a neighbour's is noticed. */
function signed(raw, index) {
  return Buffer.concat([raw, Buffer.from(`for tenant ${index}\r\n`)])
}

async function verify(tenant, index) {
  const mails = await ask(`${tenant}/mails`)
  const expected = ODD_MESSAGES.map(([, raw]) => sha256(signed(raw, index))).sort()
  for (const from of ['file', 'table']) {
    const found = []
    for (const { id } of mails) {
      const response = await fetch(`${catcher.url}/${tenant}/mails/${id}?from=${from}`)
      if (response.status !== 200) fail(`${id} of ${tenant} is not in its ${from}`)
      found.push(sha256(Buffer.from(await response.arrayBuffer())))
    }
    if (found.sort().join() !== expected.join()) fail(`a ${from} of ${tenant} differs from what was sent`)
  }
  if (
    !mails.some(({ subject }) => subject === "x'41'") ||
    !mails.some(({ subject }) => subject.startsWith('🎉'))
  )
    fail('a subject has changed')
  return Array(3).fill(`${mails.length}`)
}

async function deleteOne() {
  const [tenant, neighbour] = TENANTS
  const [{ id }] = await ask(`${tenant}/mails`)
  const asked = await fetch(`${catcher.url}/${neighbour}/mails/${id}`, { method: 'DELETE' })
  if (asked.status !== 404) fail(`${neighbour} could delete a mail of ${tenant}`)
  line(`${neighbour} asks for it by its id: there is no such mail`)
  await fetch(`${catcher.url}/${tenant}/mails/${id}`, { method: 'DELETE' })
  for (const from of ['file', 'table']) {
    const { status } = await fetch(`${catcher.url}/${tenant}/mails/${id}?from=${from}`)
    if (status !== 404) fail(`the ${from} is still there`)
  }
  const left = await Promise.all(TENANTS.map(async name => (await ask(`${name}/mails`)).length))
  line(`${tenant} deletes it: file and row are gone; left are ${left.join(', ')}`)
  if (left.join() !== [ODD_MESSAGES.length - 1, ODD_MESSAGES.length, ODD_MESSAGES.length].join())
    fail('another mail has gone, too')
}

async function removeAll() {
  for (const tenant of TENANTS)
    for (const { id } of await ask(`${tenant}/mails`))
      await fetch(`${catcher.url}/${tenant}/mails/${id}`, { method: 'DELETE' })
}

async function ask(path) {
  return (await fetch(`${catcher.url}/${path}`)).json()
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

function fail(message) {
  throw new Error(message)
}
