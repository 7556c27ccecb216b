/** Supabase's own S3 endpoint, which takes conditions and ignores them: on the stand-in, or the real one. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type S3Options, s3 } from '../../../src/adapters/s3/index.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { type SupabaseUnderTest, supabaseUnderTest } from '../../support/supabase.ts'
import { keysOf, streamOf } from './bucket.ts'

const MIB = 2 ** 20

let supabase: SupabaseUnderTest
let files: StorageProvider
let options: S3Options

/** As docs/s3.md says. */
const DECLARED = {
  keys: { maxBytes: 900, fileAndFolder: true, allowed: /^[\w/!.*'()&$=@;:+,? -]*$/ },
  capabilities: {
    contentDisposition: false,
    contentEncoding: false,
    contentLanguage: false,
    storageClass: false,
    checksums: [],
    signedUpload: { choosesExpiry: true, size: true, maxSize: false, contentType: true, finalizes: false },
  },
} as const

beforeAll(async () => {
  supabase = await supabaseUnderTest()
  const bucket = `s3-${Date.now()}`
  await supabase.createBucket(bucket)
  options = { bucket, forcePathStyle: true, ...connection(), ...DECLARED }
  files = s3(options)
})

afterAll(async () => {
  await files?.close()
  await supabase?.stop()
})

function connection() {
  const { standIn } = supabase
  if ('s3' in standIn) {
    const { endpoint, region, accessKeyId, secretAccessKey } = standIn.s3
    return { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  }
  const { env } = process
  return {
    endpoint: env.STOWAGE_TEST_SUPABASE_S3_ENDPOINT ?? `${supabase.url}/storage/v1/s3`,
    region: env.STOWAGE_TEST_SUPABASE_S3_REGION ?? 'us-east-1',
    credentials: {
      accessKeyId: env.STOWAGE_TEST_SUPABASE_S3_ACCESS_KEY ?? '',
      secretAccessKey: env.STOWAGE_TEST_SUPABASE_S3_SECRET_KEY ?? '',
    },
  }
}

test('the probe finds the conditions that it ignores', async () => {
  expect(await files.probe()).toMatchObject({
    createOnly: false,
    conditionalReplace: false,
    createOnlyCopy: false,
    conditionalDelete: false,
  })
  expect(await keysOf(files.list({ prefix: '.stowage-probe-' }))).toEqual([])
})

test('what it ignores is unsupported, and what was there stays', async () => {
  const { etag } = await files.upload('kept', 'one')
  await expect(files.upload('kept', 'two', { ifNoneMatch: '*' })).rejects.toMatchObject({
    code: 'unsupported',
  })
  await expect(files.upload('kept', 'two', { ifMatch: 'other' })).rejects.toMatchObject({
    code: 'unsupported',
  })
  await expect(files.delete('kept', { ifMatch: 'other' })).rejects.toMatchObject({ code: 'unsupported' })
  expect(await files.info('kept')).toMatchObject({ etag })
})

test('conditions of reads hold, though it ignores them', async () => {
  const { etag } = await files.upload('read', 'one')
  await expect(files.download('read', { ifMatch: 'other' })).rejects.toMatchObject({
    code: 'precondition-failed',
  })
  expect(await (await files.download('read', { ifMatch: etag! })).text()).toBe('one')
})

test('stores, shows, lists, copies, moves, signs and deletes', async () => {
  const attributes = { contentType: 'text/plain', cacheControl: 'max-age=9', metadata: { x: 'é  1' } }
  await files.upload('d/a +.txt', 'bytes', attributes)
  expect(await files.info('d/a +.txt')).toMatchObject({ ...attributes, size: 5 })
  await files.copy('d/a +.txt', 'd/b.txt', { metadata: { x: '2' } })
  await files.move('d/b.txt', 'd/c.txt')
  expect(await files.info('d/c.txt')).toMatchObject({ ...attributes, metadata: { x: '2' } })
  expect(await keysOf(files.list({ prefix: 'd/', pageSize: 1 }))).toEqual(['d/a +.txt', 'd/c.txt'])
  expect(await keysOf(files.list({ prefix: 'd', delimiter: '/' }))).toEqual(['d/'])
  const { url } = await files.signedUrl('d/a +.txt', { expiresIn: 60 })
  expect(await (await fetch(url)).text()).toBe('bytes')
  expect(await files.deleteMany(['d/a +.txt', 'd/c.txt', 'missing'])).toMatchObject([
    { status: 'gone' },
    { status: 'gone' },
    { status: 'gone' },
  ])
  expect(await files.exists('d/a +.txt')).toBe(false)
})

test('streams of unknown length go in parts', async () => {
  await files.upload('large', streamOf(12 * MIB))
  expect(await files.info('large')).toMatchObject({ size: 12 * MIB })
  await files.delete('large')
})

test('what it would drop in silence is refused', async () => {
  await expect(files.upload('a', 'x', { contentDisposition: 'inline' })).rejects.toMatchObject({
    code: 'unsupported',
  })
  await expect(files.signedUpload('a', { expiresIn: 60, maxSize: 3 })).rejects.toMatchObject({
    code: 'unsupported',
  })
  await expect(files.upload('ü', 'x')).rejects.toMatchObject({ code: 'invalid-key' })
})

test('its own refusals of keys are invalid-key', async () => {
  const open = s3({ ...options, keys: {} })
  await expect(open.upload('a#b', 'x')).rejects.toMatchObject({ code: 'invalid-key' })
  await open.close()
})

test('a missing bucket is told from a missing object, though a GET says NoSuchKey for both', async () => {
  const missing = s3({ ...options, bucket: 'no-such-bucket' })
  await expect(missing.exists('a')).rejects.toMatchObject({ code: 'not-found', resource: 'bucket' })
  await missing.close()
  const fresh = s3(options)
  expect(await fresh.exists('missing')).toBe(false)
  await fresh.close()
})
