import { timeout } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated('timeout', inner => timeout(inner, { timeoutMs: 20_000 }))
