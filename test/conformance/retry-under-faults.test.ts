import type { StorageProvider } from '../../src/core/provider.ts'
import { type FaultRule, faults, retry } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

const rate = 0.25
const READS = ['download', 'info', 'infoMany', 'exists', 'list', 'signedUrl', 'signedUrls'] as const
/** What `retry` must hide altogether: an upload may be a stream; a delete that was tried twice is `gone`, not `missing`. */
const rules: FaultRule[] = [
  { kind: 'before', operations: [...READS, 'copy', 'signedUpload'], rate },
  { kind: 'after', operations: [...READS, 'copy'], rate },
  { kind: 'cut', operations: ['list', 'infoMany', 'signedUrls'], rate },
  // A download that is cut while others overwrite its object ends as `conflict`, rightly.
  { kind: 'cut', operations: ['download'], rate, key: /^(?!.*counter)/ },
]
let seed = 0
const flaky = (inner: StorageProvider) => faults(inner, { seed: seed++, rules })

conformDecorated('retry with every fourth request failing', inner =>
  retry(flaky(inner), { attempts: 20, sleep: async () => {} }),
)
