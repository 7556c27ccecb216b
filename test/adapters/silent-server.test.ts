import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { s3 } from '../../src/adapters/s3/index.ts'
import { supabase } from '../../src/adapters/supabase/index.ts'
import type { OperationOptions, StorageProvider } from '../../src/core/provider.ts'
import { hasCode } from '../support/has-code.ts'
import { type LoopbackServer, loopbackServer } from '../support/loopback-server.ts'

let server: LoopbackServer
beforeAll(async () => {
  server = await loopbackServer()
})
afterAll(() => server.close())

async function* endless() {
  for (;;) yield Buffer.alloc(2 ** 20)
}

type Call = (files: StorageProvider, options: OperationOptions) => Promise<unknown>

const CALLS: Record<string, Call> = {
  'upload of bytes': (files, options) => files.upload('a', 'x', options),
  'upload of a stream': (files, options) => files.upload('a', endless(), options),
  'upload that may not replace': (files, options) => files.upload('a', 'x', { ...options, ifNoneMatch: '*' }),
  download: (files, options) => files.download('a', options),
  info: (files, options) => files.info('a', options),
  infoMany: (files, options) => files.infoMany(['a', 'b'], options),
  exists: (files, options) => files.exists('a', options),
  list: (files, options) => files.list(options)[Symbol.asyncIterator]().next(),
  page: (files, options) => files.list().page(options),
  copy: (files, options) => files.copy('a', 'b', options),
  move: (files, options) => files.move('a', 'b', options),
  delete: (files, options) => files.delete('a', options),
  deleteMany: (files, options) => files.deleteMany(['a', 'b'], options),
}

/** S3 signs without a request, and Supabase knows its capabilities without one. */
const OWN: Record<string, Record<string, Call>> = {
  s3: { probe: (files, options) => files.probe(options) },
  supabase: {
    signedUrl: (files, options) => files.signedUrl('a', { ...options, expiresIn: 60 }),
    signedUrls: (files, options) => files.signedUrls(['a', 'b'], { ...options, expiresIn: 60 }),
    signedUpload: (files, options) => files.signedUpload('a', options),
  },
}

const OPENERS: Record<string, (origin: string) => StorageProvider> = {
  s3: endpoint =>
    s3({
      bucket: 'photos',
      endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId: 'id', secretAccessKey: 'hush-hush-hush' },
    }),
  supabase: url => supabase({ bucket: 'photos', url, key: 'hush-hush-hush' }),
}

describe.each(Object.entries(OPENERS))('a server that never answers %s', (name, open) => {
  describe.each(Object.entries({ ...CALLS, ...OWN[name] }))('%s', (_, call) => {
    it('ends when its time is over', async () => {
      const files = open(server.origin)
      server.use(request => request.resume())
      await expect(call(files, { timeoutMs: 50 })).rejects.toSatisfy(hasCode('timeout'))
      await files.close()
    })

    it('ends when its caller ends it', async () => {
      const files = open(server.origin)
      const ends = new AbortController()
      server.use(request => {
        request.resume()
        ends.abort()
      })
      await expect(call(files, { signal: ends.signal })).rejects.toSatisfy(hasCode('aborted'))
      await files.close()
    })
  })
})
