import { describe, expect, it } from 'vitest'
import { underTest } from './under-test.ts'

const host = underTest()

describe('what is stored beside the bytes', () => {
  it('comes back as it was given, from info and from a download', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    const attributes = {
      contentType: 'text/plain;charset=utf-8',
      cacheControl: '3600',
      metadata: { title: 'Prüfung ☺', empty: '', spaced: ' a  b ' },
    }
    const info = await files.upload('a', 'hello', attributes)
    expect(info).toMatchObject({ key: 'a', size: 5, ...attributes })
    expect(info.etag).toMatch(/^[^"]+$/)
    expect(Math.abs(info.lastModified!.getTime() - Date.now())).toBeLessThan(30_000)
    expect(await files.info('a')).toEqual(info)
    const whole = await files.download('a')
    expect(whole.info).toEqual(info)
    expect(await whole.text()).toBe('hello')
    const part = await files.download('a', { range: 'bytes=1-2' })
    expect(part.info).toEqual(info)
    expect(await part.text()).toBe('el')
  })

  it('is changed one by one by a copy onto itself, and the rest is kept', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    const before = { contentType: 'text/plain', cacheControl: 'max-age=5', metadata: { a: '1' } }
    await files.upload('a', 'hello', before)
    expect(await files.copy('a', 'a', { metadata: { b: '2' } })).toMatchObject({
      ...before,
      metadata: { b: '2' },
    })
    expect(await files.copy('a', 'a', { cacheControl: 'no-store' })).toMatchObject({
      contentType: 'text/plain',
      cacheControl: 'no-store',
      metadata: { b: '2' },
    })
    const copied = await files.copy('a', 'c', { contentType: 'text/html', metadata: {} })
    expect(copied).toMatchObject({ contentType: 'text/html', cacheControl: 'no-store', metadata: {} })
    expect(await files.info('c')).toEqual(copied)
    expect(await (await files.download('a')).text()).toBe('hello')
  })

  it('of other programs is given as strings', async () => {
    const bucket = await host.bucket()
    const json = JSON.stringify({ Width: 300, tags: ['a'], title: 'x' })
    await host.put(bucket, 'a', 'hello', { 'x-metadata': Buffer.from(json).toString('base64') })
    expect((await host.open(bucket).info('a')).metadata).toEqual({ width: '300', tags: '["a"]', title: 'x' })
  })

  it('moves along, onto what is there as well', async () => {
    const bucket = await host.bucket()
    const files = host.open(bucket)
    const attributes = { contentType: 'text/plain', cacheControl: 'max-age=5', metadata: { a: '1' } }
    for (const there of [false, true]) {
      await files.upload('from', 'hello', attributes)
      if (there) await files.upload('to', 'old', { metadata: { old: 'yes' } })
      expect(await files.move('from', 'to')).toMatchObject({ key: 'to', size: 5, ...attributes })
      expect(await host.names(bucket)).toEqual(['to'])
    }
  })

  it('of a range is asked for first, so that no range past the end is sent', async () => {
    const bucket = await host.bucket()
    await host.open(bucket).upload('a', 'hello')
    const { files, sent } = host.recorded(bucket)
    await expect(files.download('a', { range: { start: 5 } })).rejects.toMatchObject({
      code: 'invalid-argument',
      status: 416,
    })
    expect(sent.map(({ path }) => path)).toEqual([`/object/info/authenticated/${bucket}/a`])
  })
})
