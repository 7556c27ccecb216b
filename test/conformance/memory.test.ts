import { describe } from 'vitest'
import { conformStore } from '../support/conform-store.ts'
import { memoryContext } from '../support/contexts/memory-context.ts'

describe('memory', () => conformStore(memoryContext()))
