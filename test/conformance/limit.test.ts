import { limit } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated('limit', inner => limit(inner, { concurrency: 2 }))
