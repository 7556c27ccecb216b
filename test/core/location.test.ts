import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { createClient } from '@supabase/supabase-js'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { local } from '../../src/adapters/local/index.ts'
import { memory } from '../../src/adapters/memory.ts'
import { s3 } from '../../src/adapters/s3/index.ts'
import { supabase } from '../../src/adapters/supabase/index.ts'
import { isElsewhere, locationOf } from '../../src/core/location.ts'
import { observe, prefix, retry } from '../../src/decorators/index.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'

const bucket = 'photos'
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the tests' }
const region = 'eu-central-1'

describe('a location', () => {
  it('keeps its parts apart, whatever is in them', () => {
    expect(locationOf('tape', ['a', 'b'])).toBe('tape://a/b/')
    expect(locationOf('tape', ['a', 'b/c'])).not.toBe(locationOf('tape', ['a/b', 'c']))
  })

  it('is that of what is wrapped, and of a prefix with its root behind it', () => {
    const files = memory()
    expect(retry(observe(files, () => {})).location).toBe(files.location)
    const a = prefix(files, 'a')
    expect(a.location).toBe(`${files.location}a/`)
    expect(prefix(a, 'b/').location).toBe(prefix(files, 'a/b').location)
    expect(prefix(files, 'b').location).not.toBe(a.location)
  })

  it('is another place where name, bucket or prefix is another, as far as they tell', async () => {
    const [client, other] = [1, 2].map(
      () => new S3Client({ region, endpoint: 'http://127.0.0.1:9000', credentials }),
    )
    const named = { bucket, region, credentials }
    const first = s3({ ...named, endpoint: 'https://one.example.com' })
    for (const there of [
      s3({ ...named, endpoint: 'https://two.example.com' }),
      s3({ ...named, endpoint: 'https://one.example.com', bucket: 'others' }),
      prefix(first, 'a'),
      memory(),
      s3({ bucket: 'others', client: client! }),
    ])
      expect(isElsewhere(first.location, there.location)).toBe(true)
    for (const same of [
      s3({ ...named, endpoint: 'https://one.example.com/' }),
      s3({ bucket, client: client! }),
    ])
      expect(isElsewhere(first.location, same.location)).toBe(false)
    expect(
      isElsewhere(s3({ bucket, client: client! }).location, s3({ bucket, client: other! }).location),
    ).toBe(false)
    expect(isElsewhere(memory().location, memory().location)).toBe(false)
    const signing = {
      baseUrl: 'https://example.com/files',
      secret: 'of more than sixteen bytes, say thirty-two',
    }
    const folder = await mkdtemp(join(tmpdir(), 'stowage-location-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const [bare, signed] = [local({ root: folder }), local({ root: folder, signing })]
    expect(isElsewhere(bare.location, signed.location)).toBe(false)
    expect(isElsewhere(prefix(bare, 'a').location, prefix(signed, 'a').location)).toBe(false)
    expect(isElsewhere(bare.location, local({ root: join(folder, 'b') }).location)).toBe(true)
    const project = (...rest: string[]) => locationOf('supabase', ['abc.supabase.co/storage/v1', ...rest])
    expect(isElsewhere(project('photos'), project('photos', 'as=7f3a'))).toBe(false)
    expect(isElsewhere(project('photos', 'escape'), project('photos', 'escape', 'as=7f3a'))).toBe(false)
    expect(isElsewhere(project('photos', 'escape'), project('photos'))).toBe(true)
  })

  it('of memory belongs to one store only', () => {
    expect(memory().location).not.toBe(memory().location)
  })

  it('of local is the real folder, and where its URLs lead', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stowage-location-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await symlink(folder, join(folder, 'link'))
    const at = (root: string, baseUrl?: string) =>
      local({ root, ...(baseUrl ? { signing: { baseUrl, secret: 'a secret of the tests' } } : {}) }).location
    expect(at(join(folder, 'link'))).toBe(at(folder))
    expect(at(join(folder, 'other'))).not.toBe(at(folder))
    expect(at(folder, 'https://a.example/files/')).toBe(at(folder, 'https://a.example/files'))
    expect(at(folder, 'https://a.example/files')).not.toBe(at(folder, 'https://b.example/files'))
    expect(at(folder, 'https://a.example/files')).not.toContain('secret')
  })

  it('of records names the tenant beside the store', () => {
    const store = memory()
    const files = (options: object) =>
      withRecords(store, sqlite({ path: ':memory:' }), { env: {}, ...options })
    expect(files({ tenant: 'a' }).location).toContain(store.location)
    expect(files({ tenant: 'a' }).location).toBe(files({ tenant: 'b' }).tenant('a').location)
    expect(files({ tenant: 'a' }).location).toBe(files({ tenant: 'a', root: 'a/' }).location)
    expect(files({ tenant: 'a' }).location).not.toBe(files({ tenant: 'b' }).location)
    expect(files({ tenant: 'a' }).location).not.toBe(files({ tenant: 'a', root: 'x/' }).location)
  })
})

describe('the location of a bucket of S3', () => {
  const at = (options: object) => s3({ bucket, credentials, region, ...options }).location
  const minio = { endpoint: 'http://127.0.0.1:9000', forcePathStyle: true }

  it('is server and bucket', () => {
    expect(at(minio)).toBe('s3://127.0.0.1%3A9000/photos/')
    expect(at({ ...minio, bucket: 'others' })).not.toBe(at(minio))
    expect(at({ ...minio, endpoint: 'http://127.0.0.1:9001' })).not.toBe(at(minio))
    expect(at({ ...minio, endpoint: 'http://user:password@127.0.0.1:9000/' })).toBe(at(minio))
  })

  it('is one in all regions of AWS, but not in China', () => {
    expect(at({})).toBe('s3://aws/photos/')
    expect(at({ region: 'us-east-1' })).toBe(at({}))
    expect(at({ region: 'cn-north-1' })).not.toBe(at({}))
    expect(at({ region: 'us-gov-west-1' })).not.toBe(at({}))
  })

  it('heeds an endpoint of the environment', () => {
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:9000')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(at({})).toBe(at(minio))
  })

  it('is that of AWS with a client for AWS, and its own with a client that hides its endpoint', () => {
    const given = (config: object, options: object = {}) =>
      s3({ bucket, client: new S3Client({ credentials, region, ...config }), ...options }).location
    expect(given({})).toBe(at({}))
    expect(given(minio)).not.toBe(given(minio))
    const client = new S3Client({ credentials, region, ...minio })
    expect(s3({ bucket, client }).location).toBe(s3({ bucket, client }).location)
    expect(given(minio, { storeName: 'cellar' })).toBe('s3://cellar/photos/')
  })
})

/** Node 20 has no WebSocket, without which `createClient` throws; nobody connects here. */
const realtime = { transport: class {} } as never
const auth = { persistSession: false, autoRefreshToken: false }

describe('the location of a bucket of Supabase', () => {
  const url = 'https://abc.supabase.co'
  const service = 'sb_secret_of-the-tests'
  const anon = 'sb_publishable_of-the-tests'
  const at = (options: object) => supabase({ bucket, url, key: service, ...options } as never).location

  it('is project, bucket and the way keys are written', () => {
    expect(at({})).toBe('supabase://abc.supabase.co%2Fstorage%2Fv1/photos/')
    expect(at({ url: `${url}/storage/v1/` })).toBe(at({}))
    expect(at({ bucket: 'others' })).not.toBe(at({}))
    expect(at({ keyEncoding: 'escape' })).not.toBe(at({}))
    expect(
      at({ url: undefined, key: undefined, client: createClient(url, service, { realtime, auth }) }),
    ).toBe(at({}))
  })

  it('tells apart who may see different objects, and holds no key', () => {
    expect(at({ key: anon })).not.toBe(at({}))
    expect(at({ key: anon })).toBe(at({ key: anon }))
    expect(at({ key: `${anon}2` })).not.toBe(at({ key: anon }))
    expect(at({ key: anon })).not.toContain('of-the-tests')
    const signedIn = () => createClient(url, anon, { realtime, accessToken: async () => 'a token' })
    const through = (client: unknown) => at({ url: undefined, key: undefined, client })
    expect(through(signedIn())).not.toBe(through(signedIn()))
    const client = signedIn()
    expect(through(client)).toBe(through(client))
  })
})
