import { memory } from '../../src/adapters/memory.ts'
import { mirror } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated('mirror', inner => mirror(inner, memory(), { onFailure: () => {} }))
