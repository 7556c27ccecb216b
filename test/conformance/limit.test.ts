import { limit } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

// The kit holds three downloads open at once.
conformDecorated('limit', inner => limit(inner, { concurrency: 3 }))
