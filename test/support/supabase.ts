/** The Supabase Storage that tests run against: a real one where the environment names it, else the stand-in. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Faults } from './supabase-server/faults.ts'
import type { Claims } from './supabase-server/json-web-token.ts'
import type { Policy, PolicyAction } from './supabase-server/row-policies.ts'
import { type SupabaseServerOptions, startSupabaseServer } from './supabase-server/start-supabase-server.ts'

export interface SupabaseBucketOptions {
  public?: boolean
  fileSizeLimit?: number | null
  allowedMimeTypes?: string[] | null
}

export interface SupabaseUnderTest {
  /** Without `/storage/v1`, as `createClient` takes it. */
  url: string
  serviceKey: string
  anonKey: string
  /** Which of the two is running, for the test run to print. */
  kind: 'real' | 'stand-in'
  createBucket(name: string, options?: SupabaseBucketOptions): Promise<void>
  /** Lets everybody do `actions` in `bucket`; undefined where a real server's database can't be reached. */
  allow: ((bucket: string, actions: readonly PolicyAction[]) => Promise<void>) | undefined
  /** What only the stand-in can do; a test that needs it is skipped on a real server with `reason`. */
  standIn:
    | {
        faults: Faults
        signKey(claims: Claims): string
        addPolicy(policy: Policy): void
        s3: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string }
      }
    | { unavailable: string }
  /** Deletes the buckets that `createBucket` made, and stops the stand-in. */
  stop(): Promise<void>
}

const NOT_HERE = 'a real server has no fault switches'

export async function supabaseUnderTest(options: SupabaseServerOptions = {}): Promise<SupabaseUnderTest> {
  const { STOWAGE_TEST_SUPABASE_URL: realUrl } = process.env
  if (realUrl) return realServer(realUrl.replace(/\/+$/, ''))
  const server = await startSupabaseServer(options)
  const { url, serviceKey, anonKey, faults, signKey, addPolicy, s3 } = server
  return {
    url,
    serviceKey,
    anonKey,
    kind: 'stand-in',
    createBucket: (name, settings) => createBucket(url, serviceKey, name, settings),
    allow: async (bucket, actions) => addPolicy({ bucket, actions }),
    standIn: { faults, signKey, addPolicy, s3 },
    stop: server.stop,
  }
}

function realServer(url: string): SupabaseUnderTest {
  const serviceKey = required('STOWAGE_TEST_SUPABASE_SERVICE_KEY')
  const anonKey = required('STOWAGE_TEST_SUPABASE_ANON_KEY')
  const made: string[] = []
  const policies: string[] = []
  const database = process.env.STOWAGE_TEST_SUPABASE_DB_URL
  return {
    url,
    serviceKey,
    anonKey,
    kind: 'real',
    createBucket: async (name, settings) => {
      await createBucket(url, serviceKey, name, settings)
      made.push(name)
    },
    allow:
      database === undefined
        ? undefined
        : async (bucket, actions) => {
            for (const action of actions) {
              const name = `stowage_test_${bucket}_${action}`.replaceAll('-', '_')
              const row = `bucket_id = '${bucket}'`
              const check = {
                insert: `with check (${row})`,
                update: `using (${row}) with check (${row})`,
                select: `using (${row})`,
                delete: `using (${row})`,
              }[action]
              await psql(database, `create policy ${name} on storage.objects for ${action} ${check}`)
              policies.push(name)
            }
          },
    standIn: { unavailable: NOT_HERE },
    stop: async () => {
      for (const name of policies) await psql(database!, `drop policy ${name} on storage.objects`)
      for (const name of made) await dropBucket(url, serviceKey, name)
    },
  }
}

async function psql(database: string, statement: string): Promise<void> {
  await promisify(execFile)('psql', [database, '-qXc', statement])
}

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} must be set beside STOWAGE_TEST_SUPABASE_URL`)
  return value
}

async function createBucket(url: string, key: string, name: string, settings: SupabaseBucketOptions = {}) {
  await call(url, key, 'POST', '/bucket', {
    id: name,
    name,
    public: settings.public ?? false,
    file_size_limit: settings.fileSizeLimit ?? null,
    allowed_mime_types: settings.allowedMimeTypes ?? null,
  })
}

/** Emptied by hand: the server only queues what `/empty` asks for, and deletes no bucket that holds something. */
async function dropBucket(url: string, key: string, name: string): Promise<void> {
  for (;;) {
    const listed = await call(url, key, 'POST', `/object/list-v2/${name}`, { prefix: '', limit: 500 })
    const { objects } = (await listed.json()) as { objects: { name: string }[] }
    if (objects.length === 0) break
    await call(url, key, 'DELETE', `/object/${name}`, { prefixes: objects.map(object => object.name) })
  }
  await call(url, key, 'DELETE', `/bucket/${name}`, {})
}

async function call(
  url: string,
  key: string,
  method: string,
  path: string,
  body: unknown,
): Promise<Response> {
  const response = await fetch(`${url}/storage/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, apikey: key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return response
}
