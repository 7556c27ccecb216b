/**
 * A mail catcher for the tenants that are named, on SQLite or on a cluster of rqlite.
 *
 *     node examples/tenants/server.js acme globex
 *     MAIL_DB=rqlite://127.0.0.1:4001 node examples/tenants/server.js acme globex
 *     STOWAGE_TENANT_ID=acme node examples/tenants/server.js
 */
import { join } from 'node:path'
import { startMailCatcher } from './mail-catcher.js'

const { STOWAGE_TENANT_ID, SMTP_PORT = '2525', PORT = '8025', MAIL_FOLDER } = process.env
const named = process.argv.slice(2)
const tenants = named.length > 0 ? named : [STOWAGE_TENANT_ID || 'default']

try {
  const catcher = await startMailCatcher({
    tenants,
    folder: MAIL_FOLDER || join(import.meta.dirname, 'data'),
    smtpPort: Number(SMTP_PORT),
    httpPort: Number(PORT),
    onError: error => console.error(error.message),
  })
  console.log(`mail on 127.0.0.1:${catcher.smtp.port}, for ${tenants.join(', ')}, in ${catcher.database}`)
  console.log(`ready: ${catcher.url}`)
  for (const name of ['SIGINT', 'SIGTERM'])
    process.once(name, async () => {
      await catcher.close()
      process.exit(0)
    })
} catch (error) {
  console.error(`tenants: ${error.message}`)
  process.exit(1)
}
