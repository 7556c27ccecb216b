import { describe } from 'vitest'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { conformStore } from '../support/conform-store.ts'
import { localContext } from '../support/contexts/local-context.ts'
import { recordsContext } from '../support/contexts/records-context.ts'

const engine = sqlite({ path: ':memory:' })
const local = await localContext()

describe('records', () => conformStore(recordsContext(local, 'SQLite', () => engine)))
