import type { IncomingMessage, ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'
import { type S3Options, s3 } from '../../../src/adapters/s3/index.ts'
import type { S3CommonOptions } from '../../../src/adapters/s3/options.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { loopbackServer } from '../../support/loopback-server.ts'

export interface FakeRequest {
  readonly method: string
  /** Path and query, decoded. */
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface FakeS3 {
  readonly files: StorageProvider
  readonly requests: FakeRequest[]
}

/** A server that answers what no real one can be made to: `answer` gets each request once its body has come. */
export async function fakeS3(
  answer: (request: FakeRequest, response: ServerResponse) => void,
  options: Partial<S3CommonOptions> = {},
): Promise<FakeS3> {
  const server = await loopbackServer()
  const requests: FakeRequest[] = []
  server.use((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', chunk => chunks.push(chunk))
    incoming.on('end', () => {
      const target = decodeURIComponent(incoming.url!)
      const { method, headers } = incoming
      const request = { method: method!, target, headers, body: Buffer.concat(chunks).toString('latin1') }
      requests.push(request)
      answer(request, response)
    })
  })
  const files = s3({
    bucket: 'photos',
    endpoint: server.origin,
    forcePathStyle: true,
    credentials: { accessKeyId: 'id', secretAccessKey: 'hush-hush-hush' },
    ...options,
  } as S3Options)
  onTestFinished(async () => {
    await files.close()
    await server.close()
  })
  return { files, requests }
}

export function errorXml(code: string, message = 'said by the server'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
}

export const ETAG = '"0123456789abcdef0123456789abcdef"'
export const OBJECT_HEADERS = {
  etag: ETAG,
  'last-modified': 'Wed, 01 Jul 2026 10:00:00 GMT',
  'content-type': 'text/plain',
}
