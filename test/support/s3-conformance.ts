import type { ConformanceContext } from '../../src/conformance/index.ts'
import { conformStore } from './conform-store.ts'
import { s3Context } from './contexts/s3-context.ts'
import type { S3Server } from './s3-server.ts'

/** Declares the whole kit over `s3()` on one server. */
export function conformanceOnS3(server: S3Server, skip: ConformanceContext['skip'] = {}): void {
  conformStore(s3Context(server), skip)
}
