import { describe, expect, it } from 'vitest'
import { underTest } from './under-test.ts'

const host = underTest()

describe('a credential that row policies allow nothing', () => {
  it('reads as if nothing were there', async () => {
    const bucket = await host.bucket()
    await host.open(bucket).upload('a.txt', 'hello')
    const anon = host.open(bucket, { key: host.server.anonKey })
    expect(await anon.exists('a.txt')).toBe(false)
    await expect(anon.info('a.txt')).rejects.toMatchObject({ code: 'not-found', key: 'a.txt' })
    await expect(anon.download('a.txt')).rejects.toMatchObject({ code: 'not-found' })
    await expect(anon.signedUrl('a.txt', { expiresIn: 60 })).rejects.toMatchObject({ code: 'not-found' })
    expect((await anon.list().page()).items).toEqual([])
  })

  it('is refused every write, and nothing changes', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    await files.upload('a.txt', 'hello')
    const anon = host.open(bucket, { key: host.server.anonKey, resumableThresholdBytes: 1000 })
    const denied = { code: 'permission-denied' }
    await expect(anon.upload('a.txt', 'changed')).rejects.toMatchObject(denied)
    await expect(anon.upload('b.txt', Buffer.alloc(2000))).rejects.toMatchObject(denied)
    await expect(anon.upload('b.txt', 'new', { ifNoneMatch: '*' })).rejects.toMatchObject(denied)
    await expect(anon.signedUpload('b.txt', {})).rejects.toMatchObject(denied)
    expect(await host.names(bucket)).toEqual(['a.txt'])
    expect(await (await files.download('a.txt')).text()).toBe('hello')
  })

  it('never hears that something was deleted which is still there', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    await files.upload('a.txt', 'hello')
    const anon = host.open(bucket, { key: host.server.anonKey })
    await expect(anon.delete('a.txt')).rejects.toMatchObject({ code: 'permission-denied', key: 'a.txt' })
    expect(await anon.deleteMany(['a.txt', 'missing.txt'])).toMatchObject([
      { key: 'a.txt', status: 'error', error: { code: 'permission-denied', key: 'a.txt' } },
      { key: 'missing.txt', status: 'missing' },
    ])
    expect(await files.exists('a.txt')).toBe(true)
  })
})

describe('a credential that may insert and select', () => {
  it('uploads and copies what is new, and is refused what changes anything', async context => {
    const { allow } = host.server
    if (allow === undefined) return context.skip('the database that holds the row policies is not named')
    const bucket = await host.bucket()
    await allow(bucket, ['insert', 'select'])
    const files = host.open(bucket, { key: host.server.anonKey, resumableThresholdBytes: 1000 })
    const denied = { code: 'permission-denied' }

    await files.upload('a.txt', 'hello')
    await files.upload('long.txt', Buffer.alloc(2000, 'x'))
    await files.copy('a.txt', 'copy.txt')
    expect((await files.info('long.txt')).size).toBe(2000)
    expect(await (await files.download('copy.txt')).text()).toBe('hello')

    const signed = await files.signedUpload('signed.txt', {})
    const put = { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } }
    expect((await fetch(signed.url, put)).status).toBe(200)

    await expect(files.upload('a.txt', 'changed')).rejects.toMatchObject(denied)
    await expect(files.upload('long.txt', Buffer.alloc(3000, 'y'))).rejects.toMatchObject(denied)
    await expect(files.copy('copy.txt', 'a.txt')).rejects.toMatchObject(denied)
    await expect(files.move('a.txt', 'moved.txt')).rejects.toMatchObject(denied)
    await expect(files.delete('a.txt')).rejects.toMatchObject(denied)
    expect(await files.deleteMany(['a.txt', 'missing'])).toMatchObject([
      { status: 'error', error: denied },
      { status: 'missing' },
    ])
    // The final name is given by a move, which is an update.
    await expect(files.upload('only.txt', 'new', { ifNoneMatch: '*' })).rejects.toMatchObject(denied)
    const seen = (await files.list().page()).items.map(entry => entry.kind === 'object' && entry.key)
    expect(seen).toEqual(['a.txt', 'copy.txt', 'long.txt', 'signed.txt'])
  })
})

describe('a credential that may insert only', () => {
  it('uploads, and is told what it knows itself of what it may not see', async context => {
    const { allow } = host.server
    if (allow === undefined) return context.skip('the database that holds the row policies is not named')
    const bucket = await host.bucket()
    await allow(bucket, ['insert'])
    const files = host.open(bucket, { key: host.server.anonKey })
    const metadata = { by: 'a visitor' }
    const outcome = await files.upload('drop.txt', 'hello', { metadata }).catch(error => error.code)
    // PostgreSQL wants to see the row that it returns: servers differ in whether they ask it to.
    if (outcome === 'permission-denied') return
    expect(outcome).toEqual({ key: 'drop.txt', size: 5, contentType: 'text/plain', metadata })
  })
})
