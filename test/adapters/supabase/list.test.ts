import { describe, expect, it } from 'vitest'
import { compareKeys } from '../../../src/core/keys.ts'
import { entryName } from '../../../src/core/listing.ts'
import type { ListOptions, StorageProvider } from '../../../src/core/provider.ts'
import { underTest } from './under-test.ts'

const host = underTest()

async function names(files: StorageProvider, options: ListOptions): Promise<string[]> {
  const all: string[] = []
  for await (const entry of files.list(options)) all.push(entryName(entry))
  return all
}

function folded(keys: readonly string[], prefix: string): string[] {
  const entries = keys
    .filter(key => key.startsWith(prefix))
    .map(key => {
      const cut = key.indexOf('/', prefix.length)
      return cut < 0 ? key : key.slice(0, cut + 1)
    })
  return [...new Set(entries)].sort(compareKeys)
}

describe('a list', () => {
  it('leaves nothing out at the border of a page, where the server would', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    const keys = ['t', 't!a', 't-/x', 't-/y', 't/x', 't/y', 't/z/1', 'ta', 'ta/b', 'u/1', 'u/2', 'u/3']
    await Promise.all(keys.map(key => files.upload(key, 'x')))
    const expected = folded(keys, '')
    for (const pageSize of [1, 2, 3, 5, 1000])
      expect(await names(files, { delimiter: '/', pageSize })).toEqual(expected)
    for (const startAfter of ['t', 't-', 't-/', 't-/x', 't/', 't/x', 't/zz', 'ta', 'ta/', 'u/'])
      for (const pageSize of [1, 3, 1000])
        expect(await names(files, { delimiter: '/', pageSize, startAfter })).toEqual(
          expected.filter(name => compareKeys(name, startAfter) > 0),
        )
    expect(await names(files, { delimiter: '/', prefix: 't', pageSize: 2 })).toEqual(folded(keys, 't'))
  })

  it('leaps over a folder instead of reading all that is in it', async () => {
    const bucket = await host.bucket()
    const keys = Array.from({ length: 40 }, (_, at) => `deep/${at}`)
    await Promise.all([...keys, 'z'].map(key => host.put(bucket, key, 'x')))
    const { files, sent } = host.recorded(bucket)
    expect(await names(files, { delimiter: '/', pageSize: 2 })).toEqual(['deep/', 'z'])
    expect(sent.length).toBeLessThanOrEqual(4)
  })

  it('hides what the dashboard leaves in a folder that was emptied', async () => {
    const bucket = await host.bucket()
    await host.put(bucket, 'a/.emptyFolderPlaceholder', '')
    await host.put(bucket, 'a/b', 'x')
    expect(await names(host.open(bucket), {})).toEqual(['a/b'])
  })

  it('takes a position with control characters, which would end the cursor', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    await Promise.all(['a', 'ab', 'b'].map(key => files.upload(key, 'x')))
    expect(await names(files, { startAfter: 'a\nc:created_at' })).toEqual(['ab', 'b'])
    expect(await names(files, { startAfter: 'a\u0000' })).toEqual(['ab', 'b'])
    expect(await names(files, { prefix: 'a\u0000' })).toEqual([])
  })

  it('fails for a bucket that does not exist, which the server lists as empty', async () => {
    await expect(host.open('no-such-bucket').list().page()).rejects.toMatchObject({
      code: 'not-found',
      resource: 'bucket',
    })
  })
})

describe('with escaped keys, a list', () => {
  const keys = [
    'z',
    'zz',
    'zé',
    'z/é',
    'é',
    'é/z',
    '日本/語.txt',
    '_',
    '_z',
    'a b',
    'a  b',
    'a ',
    'a%2Fb',
    '😀',
    'a"b',
  ]

  it('gives keys, prefixes and positions as if nothing had happened', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket, { keyEncoding: 'escape' })
    await Promise.all(keys.map(key => files.upload(key, key)))
    const sorted = [...keys].sort(compareKeys)
    for (const pageSize of [1, 4, 1000]) {
      expect(await names(files, { pageSize })).toEqual(sorted)
      expect(await names(files, { pageSize, delimiter: '/' })).toEqual(folded(sorted, ''))
      for (const prefix of ['z', 'zz', 'é', 'a', 'a ', '_', '日'])
        expect(await names(files, { pageSize, prefix })).toEqual(sorted.filter(key => key.startsWith(prefix)))
      for (const startAfter of ['a', 'z', 'zz', 'é', '~', 'a ', '😀', 'nothing'])
        expect(await names(files, { pageSize, startAfter })).toEqual(
          sorted.filter(key => compareKeys(key, startAfter) > 0),
        )
    }
    for (const key of keys) expect(await (await files.download(key)).text()).toBe(key)
  })

  it('fails by name for an object that another program put there', async () => {
    const bucket = await host.bucket()
    await host.put(bucket, 'my_zoo', 'x')
    await expect(host.open(bucket, { keyEncoding: 'escape' }).list().page()).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('my_zoo'),
    })
    expect(await names(host.open(bucket), {})).toEqual(['my_zoo'])
  })

  it('refuses a key that is too long once it is escaped, before anything is sent', async () => {
    const bucket = await host.bucket()
    const { files, sent } = host.recorded(bucket, { keyEncoding: 'escape' })
    const long = '語'.repeat(60)
    await expect(files.upload(long, 'x')).rejects.toMatchObject({ code: 'invalid-key' })
    expect(await files.deleteMany([long])).toMatchObject([
      { status: 'error', error: { code: 'invalid-key' } },
    ])
    expect(await files.signedUrls([long], { expiresIn: 60 })).toMatchObject([
      { ok: false, error: { code: 'invalid-key' } },
    ])
    expect(sent).toEqual([])
    await files.upload('語'.repeat(51), 'x')
  })
})
