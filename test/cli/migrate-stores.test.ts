import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newBucket } from '../adapters/s3/bucket.ts'
import { describeOnS3Servers } from '../support/s3-servers.ts'
import { type SupabaseUnderTest, supabaseUnderTest } from '../support/supabase.ts'
import { jsonLines, theProgram } from './program-process.ts'

const { run, at } = theProgram()

const KEYS = ['a.txt', 'b/ c+d.txt', "b/e'f(1).txt", 'z'] as const

async function put(store: string, env: Record<string, string> = {}) {
  for (const key of KEYS) {
    const { code } = await run(['put', '-', store, key], { stdin: `text of ${key}`, env })
    expect(code).toBe(0)
  }
}

describe('a migration to Supabase', () => {
  let server: SupabaseUnderTest
  let env: Record<string, string>
  beforeAll(async () => {
    server = await supabaseUnderTest()
    await server.createBucket('migrate-test')
    env = { SUPABASE_URL: server.url, SUPABASE_SERVICE_ROLE_KEY: server.serviceKey }
  })
  afterAll(() => server?.stop())

  test('is unverified by checksum, which Supabase can’t tell, and matches by content; and comes back', async () => {
    await put('file:./old')
    const there = ['--manifest', 'sqlite:./there.db']
    const first = await run(['migrate', 'run', 'file:./old', 'supabase://migrate-test', ...there], { env })
    expect(first.code).toBe(6)
    expect(first.stdout).toMatch(/unverified +4/)
    expect(first.stderr).toContain('verify with level content')
    expect(first.stderr).not.toContain(server.serviceKey)
    expect((await run(['migrate', 'verify', '--level', 'content', ...there], { env })).code).toBe(0)
    // What is known to match at a higher level is not asked again at a lower one.
    expect((await run(['migrate', 'run', ...there], { env })).code).toBe(0)

    const back = ['--manifest', 'sqlite:./back.db']
    const second = await run(['migrate', 'run', 'supabase://migrate-test', 'file:./back', ...back], { env })
    expect([second.code, second.stderr]).toEqual([0, ''])
    for (const key of KEYS) expect(await readFile(at('back', key), 'utf8')).toBe(`text of ${key}`)
  })
})

describeOnS3Servers('a migration to S3', server => {
  const env = { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey }

  test('matches by checksum, tells what was changed by another hand, and goes back', async () => {
    const { bucket } = await newBucket(server)
    const store = `s3://${bucket}/new?endpoint=${server.endpoint}`
    const folder = `file:./to-${server.name}`
    await put(folder)
    const manifest = ['--manifest', `sqlite:./${server.name}.db`]
    const migrate = (command: string, ...more: string[]) =>
      run(['migrate', command, ...manifest, ...more], { env })
    const first = await migrate(
      'run',
      folder,
      store,
      '--cache-control',
      'max-age=60',
      '--metadata',
      'moved=yes',
    )
    expect([first.code, first.stderr]).toEqual([0, ''])
    expect((await migrate('verify', '--level', 'content')).code).toBe(0)
    const again = jsonLines((await migrate('run', '--json')).stdout)
    expect(again.at(-1)).toMatchObject({ copied: 0, complete: true })

    await run(['put', '-', store, 'a.txt', '--meta', 'moved=yes'], { env, stdin: 'text of a.txt' })
    await run(['rm', store, 'z'], { env })
    const verify = await migrate('verify')
    expect(verify.code).toBe(6)
    expect(verify.stderr).toMatch(/^differ: a\.txt: /m)
    expect(verify.stderr).toMatch(/^missing-destination: z: /m)
    expect(verify.stdout).toMatch(/match +2\n/)
  })

  test('into a bucket that is not there ends with 3, and with wrong credentials with 4', async () => {
    await put(`file:./none-${server.name}`)
    const to = `s3://no-such-bucket-of-ours?endpoint=${server.endpoint}`
    const manifest = ['--manifest', `sqlite:./none-${server.name}.db`]
    const missing = await run(['migrate', 'run', `file:./none-${server.name}`, to, ...manifest], { env })
    expect([missing.code, missing.stderr.trimEnd().split('\n').length]).toEqual([3, 1])
    const denied = await run(['migrate', 'run', `file:./none-${server.name}`, to, ...manifest], {
      env: { ...env, AWS_SECRET_ACCESS_KEY: 'wrong-secret' },
    })
    expect([denied.code, denied.stderr.includes('wrong-secret')]).toEqual([4, false])
  })
})
