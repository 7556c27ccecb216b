import { sqlite } from '../../src/sql/sqlite/index.ts'
import { conformStore } from '../support/conform-store.ts'
import { recordsContext } from '../support/contexts/records-context.ts'
import { s3Context } from '../support/contexts/s3-context.ts'
import { describeOnS3Servers } from '../support/s3-servers.ts'

const engine = sqlite({ path: ':memory:' })

describeOnS3Servers('records over s3', server =>
  conformStore(recordsContext(s3Context(server, 'records'), 'SQLite', () => engine)),
)
