import { describe } from 'vitest'
import { conformStore } from '../support/conform-store.ts'
import { supabaseContext } from '../support/contexts/supabase-context.ts'

describe("supabase, keyEncoding 'refuse'", () => conformStore(supabaseContext('refuse')))
describe("supabase, keyEncoding 'escape'", () =>
  conformStore(supabaseContext('escape'), {
    'calls/public-url': 'the address holds the escaped name',
  }))
