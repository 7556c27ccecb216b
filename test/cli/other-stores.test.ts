import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newBucket } from '../adapters/s3/bucket.ts'
import { describeOnS3Servers } from '../support/s3-servers.ts'
import { type SupabaseUnderTest, supabaseUnderTest } from '../support/supabase.ts'
import { jsonLines, theProgram } from './program-process.ts'

const { run, at } = theProgram()

describe('between a folder and Supabase', () => {
  const bucket = 'cli-test'
  let server: SupabaseUnderTest
  let env: Record<string, string>
  beforeAll(async () => {
    server = await supabaseUnderTest()
    await server.createBucket(bucket)
    env = { SUPABASE_URL: server.url, SUPABASE_SERVICE_ROLE_KEY: server.serviceKey }
  })
  afterAll(() => server?.stop())

  it('copies there and back byte for byte, signs, and deletes', async () => {
    const bytes = randomBytes(300_000)
    await writeFile(at('photo.jpg'), bytes)
    await run(['put', 'photo.jpg', 'file:./a', 'in/photo.jpg'])
    await run(['put', '-', 'file:./a', 'in/notes.txt'], { stdin: 'Hello' })
    const there = await run(['cp', '-r', 'file:./a', `supabase://${bucket}/root`], { env })
    expect([there.code, there.stdout.split('\n').filter(Boolean).length]).toEqual([0, 2])
    const { stdout } = await run(['ls', '-r', '--json', `supabase://${bucket}`], { env })
    expect(jsonLines(stdout)).toMatchObject([
      { key: 'root/in/notes.txt' },
      { key: 'root/in/photo.jpg', size: 300_000 },
    ])
    const back = await run(['get', `supabase://${bucket}/root`, 'in/photo.jpg', 'back.jpg'], { env })
    expect(back.code).toBe(0)
    const sum = (data: Buffer) => createHash('sha256').update(data).digest('hex')
    expect(sum(await readFile(at('back.jpg')))).toBe(sum(bytes))
    const signed = await run(['sign', `supabase://${bucket}`, 'root/in/notes.txt'], { env })
    expect(await (await fetch(signed.stdout.trim())).text()).toBe('Hello')
    expect((await run(['rm', '-r', `supabase://${bucket}`, 'root'], { env })).code).toBe(0)
    expect((await run(['ls', '-r', `supabase://${bucket}`], { env })).stdout).toBe('')
  })

  it('ends with 4 for a wrong key, which it does not print, and 2 for a key that the store refuses', async () => {
    const wrong = { ...env, SUPABASE_SERVICE_ROLE_KEY: 'sb_secret_wrongwrongwrong' }
    const denied = await run(['ls', `supabase://${bucket}`], { env: wrong })
    expect(denied.code).toBe(4)
    expect(denied.stderr).not.toContain('wrongwrong')
    expect((await run(['put', '-', `supabase://${bucket}`, 'ö'], { env, stdin: 'x' })).code).toBe(2)
  })
})

describeOnS3Servers('the program over S3', server => {
  it('stores, copies within the bucket and between folders, and fetches megabytes whole every time', async () => {
    const { bucket } = await newBucket(server)
    const store = `s3://${bucket}?endpoint=${server.endpoint}`
    const env = { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey }
    const bytes = randomBytes(20_000_000)
    await writeFile(at('big.bin'), bytes)
    expect(await run(['put', 'big.bin', store, 'in/', '--meta', 'a=b'], { env })).toEqual({
      code: 0,
      stdout: 'in/big.bin  20.0 MB\n',
      stderr: '',
    })
    expect((await run(['cp', store, 'in/big.bin', 'copy.bin'], { env })).code).toBe(0)
    for (const name of ['1.bin', '2.bin', '3.bin'])
      expect(await run(['get', '-q', store, 'copy.bin', name], { env })).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      })
    expect(Buffer.compare(await readFile(at('3.bin')), bytes)).toBe(0)
    expect(
      (
        await run(
          ['mv', '-r', `s3://${bucket}/in?endpoint=${server.endpoint}`, `file:./from-${server.name}`],
          { env },
        )
      ).code,
    ).toBe(0)
    // S3 does not say whether anything was there.
    expect((await run(['rm', store, 'nope'], { env })).stdout).toBe('nope  gone\n')
    expect((await run(['ls', '-r', store], { env })).stdout).toBe('copy.bin\n')
    expect((await run(['info', `file:./from-${server.name}`, 'big.bin'])).stdout).toMatch(/meta a +b\n/)
    const denied = await run(['ls', store], { env: { ...env, AWS_SECRET_ACCESS_KEY: 'wrong-secret' } })
    expect([denied.code, denied.stderr.includes('wrong-secret')]).toEqual([4, false])
    expect((await run(['ls', `s3://${bucket}-x?endpoint=${server.endpoint}`], { env })).code).toBe(3)
  })
})
