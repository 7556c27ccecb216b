/** A process that opens a tenant on a SQLite file, as an application does at its start. */
import { memory } from '../../src/adapters/memory.ts'
import { upgradeTables, withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { MAILS } from './tenant-upgrades.ts'

const [path = '', tenant = '', startAt = '0'] = process.argv.slice(2)
const engine = sqlite({ path, busyTimeoutMs: 30_000 })
const files = withRecords(memory(), engine, { tenant })
// All at the same moment, whatever their loading took.
while (Date.now() < Number(startAt)) {}
await files.upload(`from-${process.pid}`, 'bytes')
await upgradeTables(engine, tenant, 'app', MAILS)
await files.close()
process.stdout.write('done')
