/** The S3 servers that the test run started, for test files. */
import { describe, inject, test } from 'vitest'
import type { S3Server } from './s3-server.ts'

/** Every server that is running; none on a machine without MinIO, versitygw and Go. */
export function s3Servers(): S3Server[] {
  return inject('s3Servers').filter((server): server is S3Server => !('missing' in server))
}

/**
 * Declares `title on minio` and `title on versitygw`. Where one is not there, one skipped test carries the reason.
 *
 * @example
 * describeOnS3Servers('s3 conditions', server => {
 *   test('refuses a stale etag', async () => { … s3({ endpoint: server.endpoint, … }) … })
 * })
 */
export function describeOnS3Servers(title: string, declare: (server: S3Server) => void): void {
  for (const { name } of inject('s3Servers')) describeOnS3Server(name, title, declare)
}

/** The same for one of them. */
export function describeOnS3Server(
  name: S3Server['name'],
  title: string,
  declare: (server: S3Server) => void,
): void {
  const server = inject('s3Servers').find(provided => provided.name === name)!
  describe(`${title} on ${name}`, () => {
    if ('missing' in server) test('can not run here', context => context.skip(server.missing))
    else declare(server)
  })
}
