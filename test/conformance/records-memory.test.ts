import { describe } from 'vitest'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { conformStore } from '../support/conform-store.ts'
import { memoryContext } from '../support/contexts/memory-context.ts'
import { recordsContext } from '../support/contexts/records-context.ts'

const engine = sqlite({ path: ':memory:' })

describe('records', () => conformStore(recordsContext(memoryContext(), 'SQLite', () => engine)))
