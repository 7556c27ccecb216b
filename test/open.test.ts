import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { open } from '../src/open.ts'
import { hasCode } from './support/has-code.ts'
import { refused } from './support/refused.ts'
import { type SupabaseUnderTest, supabaseUnderTest } from './support/supabase.ts'

const signing = { baseUrl: 'https://example.org/files', secret: 'a-secret-of-some-length' }

describe('file:', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-open-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('is one folder whether named relative, absolute or as a file URL', async () => {
    const root = join(folder, 'a b')
    const urls = [
      `file:${relative(process.cwd(), root)}`,
      `file:./${relative(process.cwd(), root)}`,
      `file:${root}`,
      `file://${root}`,
      pathToFileURL(root).href,
    ]
    for (const url of urls) {
      const files = await open(url, { env: {} })
      await files.upload('x.txt', url)
      expect(await (await files.download('x.txt')).text()).toBe(url)
      await files.close()
    }
    const files = await open(urls[0]!, { env: {} })
    expect((await files.list().page()).items).toHaveLength(1)
  })

  it('signs with what the environment or the caller gives, and not at all without', async () => {
    const env = { STOWAGE_URL_SECRET: signing.secret, STOWAGE_BASE_URL: signing.baseUrl }
    const url = `file:${folder}`
    for (const options of [{ env }, { signing }]) {
      const files = await open(url, options)
      expect((await files.signedUrl('a', { expiresIn: 60 })).url).toMatch(
        /^https:\/\/example\.org\/files\/a\?/,
      )
    }
    for (const part of [{}, { STOWAGE_URL_SECRET: signing.secret }]) {
      const files = await open(url, { env: part })
      await expect(files.signedUrl('a', { expiresIn: 60 })).rejects.toSatisfy(hasCode('unsupported'))
    }
  })
})

describe('memory:', () => {
  it('is of its own without a name, and shared by name', async () => {
    const [a, b] = [await open('memory:'), await open('memory:')]
    await a.upload('x', '1')
    expect(await b.exists('x')).toBe(false)
    const [c, d] = [await open('memory:shared'), await open('memory:shared')]
    await c.upload('x', '1')
    await c.close()
    expect(await d.exists('x')).toBe(true)
    await expect(open('memory:shared', { signing })).rejects.toThrow(/another signing/)
  })
})

describe('s3:', () => {
  const env = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secretsecretsecret' }
  const signed = async (url: string, more = {}) => {
    const files = await open(url, { env: { ...env, ...more } })
    const { url: address } = await files.signedUrl('k.txt', { expiresIn: 60 })
    await files.close()
    return new URL(address)
  }

  it('takes region, endpoint and prefix from the URL', async () => {
    const url = await signed('s3://photos/2026/summer?region=eu-central-1')
    expect(url.origin + url.pathname).toBe('https://photos.s3.eu-central-1.amazonaws.com/2026/summer/k.txt')
    const own = await signed('s3://photos?endpoint=http://127.0.0.1:9000')
    expect(own.origin + own.pathname).toBe('http://127.0.0.1:9000/photos/k.txt')
    expect(own.searchParams.get('X-Amz-Credential')).toMatch(/^AKIDEXAMPLE\/\d+\/us-east-1\//)
    const styled = await signed('s3://photos?endpoint=https://s3.example.org&forcePathStyle=true')
    expect(styled.origin + styled.pathname).toBe('https://s3.example.org/photos/k.txt')
  })

  it('takes the region from the environment where the URL has none', async () => {
    const url = await signed('s3://photos', { AWS_REGION: 'eu-west-3' })
    expect(url.host).toBe('photos.s3.eu-west-3.amazonaws.com')
  })
})

describe('supabase:', () => {
  let server: SupabaseUnderTest
  beforeAll(async () => {
    server = await supabaseUnderTest()
    await server.createBucket('open-test')
  })
  afterAll(() => server?.stop())

  it('takes address and key from the environment and the folder from the URL', async () => {
    const env = { SUPABASE_URL: server.url, SUPABASE_SERVICE_ROLE_KEY: server.serviceKey }
    const whole = await open('supabase://open-test', { env })
    const folder = await open(`supabase://open-test/in/here?url=${server.url}`, {
      env: { SUPABASE_KEY: server.serviceKey },
    })
    await folder.upload('a.txt', 'Hello')
    expect(await (await whole.download('in/here/a.txt')).text()).toBe('Hello')
    await whole.delete('in/here/a.txt')
  })

  it('says what is missing', async () => {
    await expect(open('supabase://b', { env: {} })).rejects.toThrow(/SUPABASE_URL/)
    await expect(open('supabase://b', { env: { SUPABASE_URL: server.url } })).rejects.toThrow(
      /SUPABASE_SERVICE_ROLE_KEY/,
    )
  })
})

describe('a URL that is none', () => {
  it.each([
    ['./data', /file:\.\/dir/],
    ['', /known are/],
    ['ftp://host/x', /known are/],
    ['file:', /name the folder/],
    ['file://host/x', /file:\/\/\/srv/],
    ['file:./100%', /%25/],
    ['file:./a#b', /%23/],
    ['file:./a?durable=no', /'durable'; it takes none/],
    ['s3:bucket', /s3:\/\/bucket/],
    ['s3://', /s3:\/\/bucket/],
    ['s3://b?regoin=x', /'regoin'; known are endpoint, region/],
    ['s3://b?region=a&region=b', /twice/],
    ['s3://b?forcePathStyle=1', /true or false/],
    ['s3://b/../c', /'\.'/],
  ])('%j is refused with what to write instead', async (url, message) => {
    const failure = await open(url, { env: {} }).catch(error => error)
    expect(failure).toSatisfy(hasCode('invalid-argument'))
    expect(failure.message).toMatch(message)
  })

  it.each([
    's3://AKID:hunter2secret@bucket/x',
    's3://hunter2secret@bucket',
    's3://AKID:hunter2secret/x@bucket',
    's3://bucket?endpoint=http://AKID:hunter2secret@127.0.0.1:9000',
    'supabase://bucket?url=https://hunter2secret@example.org',
    's3://bucket?secretAccessKey=hunter2secret',
    's3://bucket?accessKeyId=hunter2secret',
    'supabase://bucket?key=hunter2secret',
    'supabase://bucket?token=hunter2secret',
    'file:./x?password=hunter2secret',
    'nonsense://u:hunter2secret@bucket',
  ])('with a secret in it is refused and not repeated (%#)', async url => {
    const failure = await open(url, { env: {} }).catch(error => error)
    expect(failure).toSatisfy(hasCode('invalid-argument'))
    expect(JSON.stringify(failure) + failure.stack).not.toContain('hunter2secret')
    if (!url.startsWith('nonsense')) expect(failure.message).toMatch(/environment/)
  })

  it.each<[unknown, RegExp]>([
    [
      { bad: 1 },
      /^open: unknown option 'bad'; known are env, signing, cache, records, tenant, recordsOptions$/,
    ],
    [null, /options must be an object/],
    [signing.secret, /options must be an object/],
    [{ env: 'AWS_REGION=x' }, /env must be an object/],
    [{ cache: 5 }, /cache must be a string or an object/],
    [{ signing: signing.secret }, /signing must be an object/],
    [{ signing: { ...signing, previous: [] } }, /^signing: unknown option 'previous'/],
  ])('with the options %j is refused', async (options, message) => {
    const failure = await open('memory:', options as never).catch(error => error)
    expect(failure).toEqual(refused(message))
    expect(failure.message).not.toContain(signing.secret)
  })
})
