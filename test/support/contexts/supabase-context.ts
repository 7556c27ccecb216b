import { type SupabaseOptions, supabase } from '../../../src/adapters/supabase/index.ts'
import { type SupabaseUnderTest, supabaseUnderTest } from '../supabase.ts'
import type { StoreContext } from './context-of.ts'

/** The kit over `supabase()`, in buckets of its own. */
export function supabaseContext(keyEncoding: 'refuse' | 'escape', name = 'conformance'): StoreContext {
  let server: SupabaseUnderTest
  const bucket = `${name}-${keyEncoding}-${Date.now().toString(36)}`
  const small = `${bucket}-small`
  const open = (options: Partial<SupabaseOptions> = {}) =>
    supabase({
      bucket,
      keyEncoding,
      url: server.url,
      key: server.serviceKey,
      ...options,
    } as SupabaseOptions)
  return {
    async before() {
      server = await supabaseUnderTest()
      await server.createBucket(bucket)
      await server.createBucket(small, { fileSizeLimit: 2 ** 21 })
    },
    after: () => server.stop(),
    context: {
      name: `supabase (${keyEncoding})`,
      create: ({ partSizeBytes, multipartThresholdBytes } = {}) =>
        open({
          ...(partSizeBytes === undefined ? {} : { chunkSizeBytes: partSizeBytes }),
          ...(multipartThresholdBytes === undefined
            ? {}
            : { resumableThresholdBytes: multipartThresholdBytes }),
        }),
      fetch: (url, init) => fetch(url, init),
      another: () => open(),
      createMissingBucket: () => open({ bucket: 'no-such-bucket' }),
      createFull: () => open({ bucket: small }),
      async createCut(key, bytes) {
        await open().upload(key, bytes)
        return open({ fetch: cutDownloads })
      },
      leftovers: () => temporaryNames(server, bucket),
      partSizesBytes: [2 ** 20],
      // A real server with its database on a busy machine stores some thirty small objects a second.
      caseTimeoutMs: 120_000,
    },
  }
}

/** Breaks the body of every download behind the first 64 KiB. */
const cutDownloads: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  if (init?.method !== 'GET' || !String(input).includes('/object/authenticated/')) return response
  let passed = 0
  const cut = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const part = chunk.subarray(0, 65_536 - passed)
      passed += part.length
      controller.enqueue(part)
      if (passed >= 65_536) controller.error(Object.assign(new Error('cut'), { code: 'ECONNRESET' }))
    },
  })
  return new Response(response.body?.pipeThrough(cut), response)
}

/** Names of objects that creating left behind: lists hide them. */
async function temporaryNames({ url, serviceKey }: SupabaseUnderTest, id: string): Promise<string[]> {
  const response = await fetch(`${url}/storage/v1/object/list-v2/${id}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${serviceKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ prefix: '', limit: 1000 }),
  })
  const { objects } = (await response.json()) as { objects: { name: string }[] }
  return objects.map(object => object.name).filter(name => name.includes('.stowage-temp-'))
}
