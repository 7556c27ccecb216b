import { retry } from '../../src/decorators/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { conformStore } from '../support/conform-store.ts'
import type { StoreContext } from '../support/contexts/context-of.ts'
import { recordsContext } from '../support/contexts/records-context.ts'
import { s3Context } from '../support/contexts/s3-context.ts'
import { describeOnS3Servers } from '../support/s3-servers.ts'

const engine = sqlite({ path: ':memory:' })

describeOnS3Servers('records over s3', server =>
  conformStore(recordsContext(retried(s3Context(server, 'records')), 'SQLite', () => engine)),
)

/**
 * As docs/records.md has it. versitygw answers 500 to a read of bytes that another writer's clean-up deletes at that moment,
 * which is no 404: records look again only where the bytes are gone.
 */
function retried(store: StoreContext): StoreContext {
  const { context } = store
  const { create, another } = context
  return {
    ...store,
    context: {
      ...context,
      create: async options => retry(await create(options)),
      ...(another && { another: async files => retry(await another(files)) }),
    },
  }
}
