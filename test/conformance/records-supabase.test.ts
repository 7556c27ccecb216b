import { describe } from 'vitest'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { conformStore } from '../support/conform-store.ts'
import { recordsContext } from '../support/contexts/records-context.ts'
import { supabaseContext } from '../support/contexts/supabase-context.ts'

const engine = sqlite({ path: ':memory:' })

describe('records', () =>
  conformStore(recordsContext(supabaseContext('refuse', 'records'), 'SQLite', () => engine)))
