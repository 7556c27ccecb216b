import { observe } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated('observe', inner => observe(inner, () => {}))
