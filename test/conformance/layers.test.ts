import { limit, observe, prefix, retry, timeout } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

conformDecorated('observe, prefix, retry, timeout and limit together', inner =>
  observe(prefix(retry(timeout(limit(inner, { concurrency: 4 }), { timeoutMs: 20_000 })), 'a/b/'), () => {}),
)
