import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { type LifecycleServer, lifecycleServer } from '../support/lifecycle-server.ts'
import { describeOnS3Server } from '../support/s3-servers.ts'
import { jsonLines, theProgram } from './program-process.ts'

const { run, at } = theProgram()
const POLICY = {
  tiers: [{ prefix: 'photos/', afterDays: 30, storageClass: 'STANDARD_IA' }],
  expire: [{ prefix: 'tmp/', afterDays: 7 }],
  abortUnfinishedAfterDays: 3,
}
const DAY = 86_400_000

let server: LifecycleServer
let bucket: string
const env = { AWS_ACCESS_KEY_ID: 'stand-in', AWS_SECRET_ACCESS_KEY: 'stand-in-secret' }
const s3 = (...args: string[]) => run(['s3', ...args], { env })

beforeAll(async () => {
  server = await lifecycleServer()
  bucket = `s3://${server.bucket}?endpoint=${server.origin}`
  await writeFile(at('policy.json'), JSON.stringify(POLICY))
  await writeFile(at('policy.mjs'), `export default ${JSON.stringify(POLICY)}`)
})
afterAll(() => server.close())
beforeEach(() => {
  Object.assign(server, { rules: [], objects: [], uploads: [] })
  server.written.length = 0
})

describe('stowage s3 lifecycle', () => {
  it('shows what a policy changes, applies it, and has nothing more to do', async () => {
    const aged = { size: 5, lastModified: new Date(Date.now() - 30 * DAY) }
    server.objects = [{ key: 'tmp/old', ...aged }]
    const plan = await s3('lifecycle', 'plan', bucket, '--policy', 'policy.json')
    expect(plan).toEqual({
      code: 0,
      stderr: '',
      stdout: `+ stowage-tier-photos/
    moves 'photos/…' from 131 kB to STANDARD_IA after 30 days
+ stowage-expire-tmp/
    deletes 'tmp/…' after 7 days
+ stowage-abort-unfinished
    ends unfinished uploads after 3 days
! 1 object, 5 B, below 'tmp/' is older than 7 days and would go at once
standin: 3 to add, 0 to change, 0 to remove, 0 stay; 0 of others
`,
    })
    expect(server.written).toEqual([])
    const applied = await s3('lifecycle', 'apply', bucket, '--policy', 'policy.mjs')
    expect([applied.code, applied.stdout]).toEqual([0, expect.stringContaining('has 3 rules now')])
    const again = await s3('lifecycle', 'plan', bucket, '--policy', 'policy.json', '--json')
    expect(jsonLines(again.stdout).at(-1)).toMatchObject({ action: 'plan', unchanged: true, keep: 3 })
  })

  it('writes nothing where files with records would be deleted, unless it is told to', async () => {
    server.objects = [{ key: 'tmp/.stowage/record-set.json', size: 2, lastModified: new Date() }]
    const apply = ['lifecycle', 'apply', bucket, '--policy', 'policy.json']
    const stopped = await s3(...apply)
    expect(stopped.code).toBe(7)
    expect(stopped.stdout).toContain("! the record set of 'tmp/' lies below 'tmp/'")
    expect(stopped.stderr).toContain('nothing was written')
    expect(server.written).toEqual([])
    expect((await s3(...apply, '--accept-warnings')).code).toBe(0)
    expect(server.written).toHaveLength(1)
  })

  it('checks rules and what they have left, and ends with 6 where it finds something', async () => {
    const check = ['lifecycle', 'check', bucket, '--policy', 'policy.json']
    const missing = await s3(...check)
    expect(missing.code).toBe(6)
    expect(missing.stdout).toContain('stowage-expire-tmp/: the bucket does not have this rule')
    await s3('lifecycle', 'apply', bucket, '--policy', 'policy.json', '-q')
    expect(await s3(...check)).toMatchObject({ code: 0, stderr: '' })
    server.objects = [{ key: 'tmp/old', size: 5, lastModified: new Date(Date.now() - 11 * DAY) }]
    const left = await s3(...check, '--json')
    expect(left.code).toBe(6)
    expect(jsonLines(left.stdout)).toMatchObject([
      { finding: { kind: 'not-expired', key: 'tmp/old' } },
      { action: 'lifecycle', clean: false, counts: { 'not-expired': 1 } },
    ])
  })

  it.each<[string, string[], RegExp]>([
    [
      'a policy that is none',
      ['s3://b', '--policy', 'bad.json'],
      /bad.json: tiers\[0\]: unknown option 'days'/,
    ],
    ['no JSON', ['s3://b', '--policy', 'none.json'], /none.json: the policy is no JSON/],
    ['another store', ['file:./data', '--policy', 'policy.json'], /rules are of S3 buckets/],
    [
      'a prefix',
      ['s3://b/photos', '--policy', 'policy.json'],
      /name s3:\/\/b and put 'photos\/' into the policy/,
    ],
    ['no policy', ['s3://b'], /--policy/],
  ])('refuses %s', async (_, args, message) => {
    await writeFile(at('bad.json'), '{"tiers":[{"days":3}]}')
    await writeFile(at('none.json'), 'tiers: none')
    const { code, stderr } = await s3('lifecycle', 'plan', ...args)
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
  })
})

describeOnS3Server('minio', 'stowage audit --policy', minio => {
  it('adds what the policy would have and the bucket has not', async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = minio
    const credentials = { accessKeyId, secretAccessKey }
    const name = `audited-${randomUUID()}`
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket: name }))
    client.destroy()
    await writeFile(at('expiry.json'), JSON.stringify({ expire: POLICY.expire }))
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    const store = `s3://${name}?endpoint=${endpoint}`
    const policy = ['--policy', 'expiry.json']
    // Audits make no database.
    const engine = sqlite({ path: at('r.db') })
    await engine.query(['SELECT 1'])
    await engine.close()
    const audit = () => run(['audit', store, '--records', 'sqlite:./r.db', ...policy, '--json'], { env })
    const before = await audit()
    expect([before.code, before.stderr]).toEqual([6, ''])
    expect(jsonLines(before.stdout)).toMatchObject([
      { action: 'audit', clean: true },
      { finding: { kind: 'rule-missing', rule: { ID: 'stowage-expire-tmp/' } } },
      { action: 'lifecycle', clean: false },
    ])
    expect((await run(['s3', 'lifecycle', 'apply', store, ...policy], { env })).code).toBe(0)
    expect(await audit()).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('stowage s3 cost', () => {
  it('estimates a bucket by class, before and after a policy', async () => {
    const size = 2 ** 40
    server.objects = [
      { key: 'photos/a', size, lastModified: new Date(Date.now() - 90 * DAY) },
      { key: 'photos/b', size, lastModified: new Date(Date.now() - 90 * DAY), storageClass: 'STANDARD_IA' },
    ]
    const { code, stdout } = await s3('cost', bucket, '--policy', 'policy.json')
    expect(code).toBe(0)
    expect(stdout).toContain('2 objects, 2.2 TB: $36.35 a month')
    expect(stdout).toMatch(/STANDARD_IA {2}1 {8}1.1 TB {2}1.1 TB {2}\$12.80/)
    expect(stdout).toContain('With the policy: $25.60 a month, 29.6 % less')
    expect(stdout).toContain('They change: compare https://aws.amazon.com/s3/pricing/')
    const json = await s3('cost', bucket, '--json')
    expect(jsonLines(json.stdout)).toMatchObject([
      { action: 'cost', objects: 2, prices: { region: 'us-east-1' } },
    ])
  })

  it('takes a list that was made before, and prices of your own', async () => {
    await writeFile(
      at('list.jsonl'),
      '{"kind":"object","key":"a","size":1073741824,"lastModified":"2026-01-01T00:00:00.000Z"}\n',
    )
    const prices = {
      name: 'ours',
      region: 'here',
      date: '2026-01-01',
      source: 'https://example.org',
      trafficPerGb: 0,
      classes: { STANDARD: { storagePerGbMonth: 7, putPer1000: 0, getPer1000: 0, transitionPer1000: 0 } },
    }
    await writeFile(at('prices.json'), JSON.stringify(prices))
    const args = ['cost', 's3://b', '--listing', 'list.jsonl', '--prices', 'prices.json']
    expect((await s3(...args)).stdout).toContain('1 object, 1.1 GB: $7.00 a month')
    await writeFile(at('list.jsonl'), '{"key":"a"}\n')
    expect(await s3(...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('list.jsonl:1: this is no'),
    })
  })
})
