import { describe } from 'vitest'
import { withImageMetadata } from '../../src/images/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { conformStore } from '../support/conform-store.ts'
import { memoryContext } from '../support/contexts/memory-context.ts'
import { recordsContext } from '../support/contexts/records-context.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated('withImageMetadata', inner => withImageMetadata(inner))

const engine = sqlite({ path: ':memory:' })

describe('withImageMetadata around records', () =>
  conformStore(recordsContext(memoryContext(), 'SQLite', () => engine, withImageMetadata)))
