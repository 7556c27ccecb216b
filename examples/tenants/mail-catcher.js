import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { open, openEngine } from 'stowage/open'
import { withRecords } from 'stowage/records'
import { createMailRoutes } from './mail-routes.js'
import { openMailbox } from './mailbox.js'
import { smtpReceiver } from './smtp-receiver.js'

const HOST = '127.0.0.1'
const MAX_BYTES = 10 * 1024 * 1024

/**
 * The mail catcher for some tenants of one store and one database: `MAIL_DB` says which database, and that is all that
 * changes between one machine and a cluster.
 *
 * @param {object} options
 * @param {string[]} options.tenants one takes every mail; of several, `anyone@acme.test` goes to `acme`
 * @param {string} options.folder where the defaults lie
 */
export async function startMailCatcher({
  tenants,
  folder,
  smtpPort = 0,
  httpPort = 0,
  env = process.env,
  onError,
}) {
  const root = resolve(folder)
  await mkdir(root, { recursive: true })
  const store = await open(env.MAIL_FILES || pathToFileURL(join(root, 'files')).href)
  const engine = await openEngine(env.MAIL_DB || `sqlite:${join(root, 'mail.db')}`)
  const first = withRecords(store, engine, { tenant: tenants[0] })
  const mailboxes = new Map()
  const workers = []
  const servers = []
  try {
    for (const tenant of tenants) {
      const files = first.tenant(tenant)
      mailboxes.set(tenant, await openMailbox(files, engine))
      await files.recover()
      workers.push(files.startWorker())
    }
    const mailboxOf = address => mailboxes.get(tenants.length === 1 ? tenants[0] : tenantIn(address))
    // Should the second of two tenants fail, the sender sends again and the first has it twice: as mail has it, better
    // twice than not at all.
    const deliver = async mail => {
      for (const mailbox of new Set(mail.recipients.map(mailboxOf))) {
        // A tenant learns only of its own.
        const recipients = mail.recipients.filter(address => mailboxOf(address) === mailbox)
        await mailbox.keep({ ...mail, recipients })
      }
    }
    const smtp = smtpReceiver({ maxBytes: MAX_BYTES, mailboxOf, deliver, onError })
    servers.push(await listening(smtp, smtpPort))
    const http = createServer(createMailRoutes(mailboxes, onError))
    servers.push(await listening(http, httpPort))
    return {
      database: engine.name,
      files: first,
      smtp: smtp.address(),
      url: `http://${HOST}:${http.address().port}`,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }

  async function close() {
    for (const server of servers) {
      server.close()
      server.closeAllConnections?.()
    }
    await Promise.all(workers.map(worker => worker.stop()))
    await first.close()
  }
}

/** `anyone@acme.test` is for `acme`, `anyone@big-corp.example` for `big_corp`. */
function tenantIn(address) {
  const [label] = address.slice(address.lastIndexOf('@') + 1).split('.')
  return label.toLowerCase().replaceAll('-', '_')
}

async function listening(server, port) {
  server.listen(port, HOST)
  await once(server, 'listening')
  return server
}
