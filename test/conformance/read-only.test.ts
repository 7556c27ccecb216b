import { readOnly } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated('readOnly', readOnly, writer => ({ writer }))
