import { expect, test } from 'vitest'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { keysOf, newBucket } from './bucket.ts'

describeOnS3Servers('s3 keys', server => {
  test.each(['a//b', '/lead', 'dir/', 'x'.repeat(256), 'a/../b'])(
    '%j is refused before it is sent',
    async key => {
      const files = (await newBucket(server)).files()
      await expect(files.upload(key, 'x')).rejects.toMatchObject({ code: 'invalid-key' })
      expect(await keysOf(files.list())).toEqual([])
    },
  )

  test('what the server refuses itself is invalid-key, too', async () => {
    const files = (await newBucket(server)).files({ keys: { maxSegmentBytes: 1024, emptySegments: true } })
    await expect(files.upload('x'.repeat(256), 'x')).rejects.toMatchObject({ code: 'invalid-key' })
    const key = server.name === 'minio' ? 'a//b' : 'dir/'
    await expect(files.upload(key, 'x')).rejects.toMatchObject({ code: 'invalid-key' })
  })

  test('a file and a folder of one name: a conflict, or the server lists only the file', async () => {
    const files = (await newBucket(server)).files()
    await files.upload('a', 'file')
    if (server.name === 'versitygw') {
      await expect(files.upload('a/b', 'child')).rejects.toMatchObject({
        code: 'conflict',
        retryable: false,
      })
      await files.upload('d/e', 'child')
      await expect(files.upload('d', 'file')).rejects.toMatchObject({ code: 'conflict', retryable: false })
    } else {
      await files.upload('a/b', 'child')
      expect(await (await files.download('a/b')).text()).toBe('child')
      expect(await keysOf(files.list())).toEqual(['a'])
    }
    expect(files.capabilities.keys.fileAndFolder).toBe(false)
  })

  test('odd characters are listed, signed and deleted by their own names', async () => {
    const files = (await newBucket(server)).files()
    const keys = ['a b', 'a+b', 'a%20b', 'a&b<c>"\'', 'ü/日本 😀', 'a\tb', 'x;y=?#[]'].sort()
    for (const key of keys) await files.upload(key, key)
    expect((await keysOf(files.list())).sort()).toEqual(keys)
    for (const { key, ...signed } of await files.signedUrls(keys, { expiresIn: 60 })) {
      expect(signed.ok).toBe(true)
      if (signed.ok) expect(await (await fetch(signed.value.url)).text()).toBe(key)
    }
    const results = await files.deleteMany(keys)
    expect(results).toEqual(keys.map(key => ({ key, status: 'gone' })))
    expect(await keysOf(files.list())).toEqual([])
  })

  test('1,001 keys are deleted in two requests and listed past the first page', async () => {
    const files = (await newBucket(server)).files()
    const keys = Array.from({ length: 1001 }, (_, i) => `k/${String(i).padStart(4, '0')}`)
    for (let at = 0; at < keys.length; at += 100)
      await Promise.all(keys.slice(at, at + 100).map(key => files.upload(key, '')))
    expect(await keysOf(files.list({ prefix: 'k/' }))).toEqual(keys)
    const results = await files.deleteMany(files.list({ prefix: 'k/' }))
    expect(results).toHaveLength(1001)
    expect(results.every(result => result.status === 'gone')).toBe(true)
    expect(await keysOf(files.list())).toEqual([])
  })
})
