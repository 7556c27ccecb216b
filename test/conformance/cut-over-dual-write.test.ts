import { describe } from 'vitest'
import { conformStore } from '../support/conform-store.ts'
import { cutOverContext } from '../support/contexts/cut-over-context.ts'

describe('records over a cut-over in dual-write', () => conformStore(cutOverContext('dual-write')))
