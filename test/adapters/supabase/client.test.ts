import { createClient } from '@supabase/supabase-js'
import { describe, expect, it } from 'vitest'
import { supabase } from '../../../src/adapters/supabase/index.ts'
import { underTest } from './under-test.ts'

const host = underTest()

/** Node 20 has no WebSocket, without which `createClient` throws; nobody connects here. */
class NoSocket {}
type Realtime = NonNullable<NonNullable<Parameters<typeof createClient>[2]>['realtime']>
const realtime = { transport: NoSocket } as unknown as Realtime
const auth = { persistSession: false, autoRefreshToken: false }

describe('a SupabaseClient', () => {
  it('lends its URL, its key and its fetch', async () => {
    const bucket = await host.bucket()
    const asked: string[] = []
    const client = createClient(host.server.url, host.server.serviceKey, {
      realtime,
      auth,
      global: {
        headers: { 'x-from': 'the client' },
        fetch: (input, init) => {
          asked.push(new Headers(init?.headers).get('x-from') ?? '')
          return fetch(input, init)
        },
      },
    })
    const files = supabase({ bucket, client })
    await files.upload('ha sh', 'hello')
    expect(await (await files.download('ha sh')).text()).toBe('hello')
    expect(await files.deleteMany(['ha sh', 'not there'])).toEqual([
      { key: 'ha sh', status: 'deleted' },
      { key: 'not there', status: 'missing' },
    ])
    expect(new Set(asked)).toEqual(new Set(['the client']))
    expect(files.publicUrl('a')).toBe(client.storage.from(bucket).getPublicUrl('a').data.publicUrl)
  })

  it('lends the token of whoever is signed in, at each request', async () => {
    const bucket = await host.bucket()
    await host.open(bucket).upload('secret', 'hello')
    let token = host.server.anonKey
    const client = createClient(host.server.url, host.server.anonKey, {
      realtime,
      accessToken: async () => token,
    })
    const files = supabase({ bucket, client })
    expect(await files.exists('secret')).toBe(false)
    expect(await files.deleteMany(['secret'])).toMatchObject([
      { status: 'error', error: { code: 'permission-denied' } },
    ])
    token = host.server.serviceKey
    expect(await files.exists('secret')).toBe(true)
    expect(await files.deleteMany(['secret'])).toEqual([{ key: 'secret', status: 'deleted' }])
  })
})
