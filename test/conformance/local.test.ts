import { describe } from 'vitest'
import { conformStore } from '../support/conform-store.ts'
import { localContext } from '../support/contexts/local-context.ts'

const local = await localContext()

describe('local', () => conformStore(local))
