import { prefix } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated('prefix', inner => prefix(inner, 'tenant/a'))
