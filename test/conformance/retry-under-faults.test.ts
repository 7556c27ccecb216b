import type { StorageProvider } from '../../src/core/provider.ts'
import { type FaultRule, faults, retry } from '../../src/decorators/index.ts'
import { conformDecorated } from './decorated-memory.ts'

const rate = 0.25
const READS = ['download', 'info', 'infoMany', 'exists', 'list', 'signedUrl', 'signedUrls'] as const
/** What `retry` must hide altogether: an upload may be a stream, a lost delete is `gone` where the kit asks more. */
const rules: FaultRule[] = [
  { kind: 'before', operations: [...READS, 'delete', 'deleteMany', 'copy', 'signedUpload'], rate },
  { kind: 'after', operations: [...READS, 'copy'], rate },
  { kind: 'cut', operations: ['download', 'list', 'infoMany', 'deleteMany', 'signedUrls'], rate },
]
let seed = 0
const flaky = (inner: StorageProvider) => faults(inner, { seed: seed++, rules })

conformDecorated('retry with every fourth request failing', inner =>
  retry(flaky(inner), { attempts: 20, sleep: async () => {} }),
)
