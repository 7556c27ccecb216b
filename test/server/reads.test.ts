import { describe, expect, it } from 'vitest'
import { codeOf, NOW, servedMemory, signing } from './served-memory.ts'

async function served(text = 'Hello, world') {
  const server = servedMemory()
  const info = await server.files.upload('a/hello.txt', text)
  const { url } = await server.files.signedUrl('a/hello.txt', { expiresIn: 60 })
  const get = (headers: Record<string, string> = {}, method = 'GET') => server.ask(url, { method, headers })
  return { ...server, info, url, get, etag: `"${info.etag}"` }
}

describe('a signed GET', () => {
  it('serves the bytes with type, length, etag and date', async () => {
    const { get, etag } = await served()
    const response = await get()
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '12',
      'accept-ranges': 'bytes',
      'last-modified': new Date(NOW).toUTCString(),
      etag,
    })
    expect(await response.text()).toBe('Hello, world')
  })

  it('answers HEAD with the same headers and no body', async () => {
    const { get } = await served()
    const [head, whole] = [await get({}, 'HEAD'), await get()]
    expect(head.status).toBe(200)
    expect(head.body).toBeNull()
    expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(whole.headers))
  })

  it.each([
    'a//b',
    '/a',
    'a/',
    'a%2Fb',
    'a b+c',
    'ö/😀.txt',
    "q?x=1&y#z!'()*",
    '\\a\\b',
    '%',
    '...',
    'a:b@c;d,e',
    '\t',
  ])('serves the key %j', async key => {
    const { files, ask } = servedMemory()
    await files.upload(key, `bytes of ${key}`)
    const { url } = await files.signedUrl(key, { expiresIn: 60 })
    expect(await (await ask(url)).text()).toBe(`bytes of ${key}`)
  })

  it('serves stored headers, and the cache-control that was stored', async () => {
    const { files, ask } = servedMemory({ cacheControl: 'private, max-age=5' })
    await files.upload('a.txt', 'x', {
      cacheControl: 'max-age=60',
      contentLanguage: 'de',
      contentEncoding: 'br',
    })
    await files.upload('b.txt', 'x')
    const a = (await ask((await files.signedUrl('a.txt', { expiresIn: 60 })).url)).headers
    const b = (await ask((await files.signedUrl('b.txt', { expiresIn: 60 })).url)).headers
    expect([a.get('cache-control'), a.get('content-language'), a.get('content-encoding')]).toEqual([
      'max-age=60',
      'de',
      'br',
    ])
    expect(b.get('cache-control')).toBe('private, max-age=5')
  })
})

describe('what is refused', () => {
  it('is dead at its expiry and alive a millisecond before', async () => {
    const { get, clock } = await served()
    clock.now = NOW + 59_999
    expect((await get()).status).toBe(200)
    clock.now = NOW + 60_000
    const late = await get()
    expect([late.status, await codeOf(late)]).toEqual([403, 'expired'])
  })

  it('says in one code why, and nothing of what is stored', async () => {
    const { ask, url, files } = await served()
    const missing = (await files.signedUrl('missing', { expiresIn: 60 })).url
    const unsigned = `${signing.baseUrl}/a/hello.txt`
    const cases: [string, string, number, string][] = [
      ['GET', unsigned, 403, 'unsigned'],
      ['GET', `${unsigned}-not-there`, 403, 'unsigned'],
      ['GET', url.replace('hello', 'jello'), 403, 'bad-signature'],
      ['GET', url.replace(/expires=\d+/, 'expires=99999999999'), 403, 'bad-signature'],
      ['PUT', url, 403, 'wrong-method'],
      ['DELETE', url, 403, 'wrong-method'],
      ['GET', missing, 404, 'not-found'],
      ['GET', 'https://example.org/other/a', 404, 'not-found'],
      ['GET', 'https://example.org/filesa', 404, 'not-found'],
      ['GET', `${signing.baseUrl}/..%2f..%2fetc/passwd`, 404, 'not-found'],
      ['GET', `${signing.baseUrl}/%ff`, 404, 'not-found'],
      ['GET', `${signing.baseUrl}/a%00b`, 404, 'not-found'],
    ]
    for (const [method, address, status, code] of cases) {
      const response = await ask(address, { method })
      expect([address, response.status, await codeOf(response)]).toEqual([address, status, code])
    }
  })

  it('answers other methods with what it takes', async () => {
    const { ask, url } = await served()
    const response = await ask(url, { method: 'POST', body: 'x' })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, DELETE, OPTIONS'])
  })

  it('keeps the signature and the secret out of every answer', async () => {
    const { ask, url } = await served()
    const signature = new URL(url).searchParams.get('signature')!
    for (const address of [url.replace('hello', 'jello'), url.replace('expires=', 'expires=1')]) {
      const response = await ask(address)
      const all = (await response.text()) + JSON.stringify(Object.fromEntries(response.headers))
      expect(all).not.toContain(signature)
      expect(all).not.toContain(signing.secret)
    }
  })
})

describe('ranges', () => {
  it.each([
    ['bytes=0-4', 206, 'Hello', 'bytes 0-4/12'],
    ['bytes=7-', 206, 'world', 'bytes 7-11/12'],
    ['bytes=-5', 206, 'world', 'bytes 7-11/12'],
    ['bytes=-500', 206, 'Hello, world', 'bytes 0-11/12'],
    ['bytes=7-500', 206, 'world', 'bytes 7-11/12'],
    ['bytes=0-1,3-4', 200, 'Hello, world', null],
    ['bytes=5-2', 200, 'Hello, world', null],
    ['lines=1-2', 200, 'Hello, world', null],
  ])('answers %s', async (range, status, text, contentRange) => {
    const { get } = await served()
    const response = await get({ range })
    expect([response.status, await response.text(), response.headers.get('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ])
    expect(response.headers.get('content-length')).toBe(String(text.length))
  })

  it.each(['bytes=12-', 'bytes=99-100', 'bytes=-0'])('refuses %s and says the size', async range => {
    const { get } = await served()
    const response = await get({ range })
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */12'])
  })

  it('serves an empty file whole whatever the range', async () => {
    const { get } = await served('')
    expect((await get({ range: 'bytes=0-' })).status).toBe(200)
  })

  it('ignores a range on HEAD and one whose If-Range is of another version', async () => {
    const { get, etag } = await served()
    expect((await get({ range: 'bytes=0-1' }, 'HEAD')).status).toBe(200)
    expect((await get({ range: 'bytes=0-1', 'if-range': '"other"' })).status).toBe(200)
    expect((await get({ range: 'bytes=0-1', 'if-range': `W/${etag}` })).status).toBe(200)
    expect((await get({ range: 'bytes=0-1', 'if-range': etag })).status).toBe(206)
    expect((await get({ range: 'bytes=0-1', 'if-range': new Date(NOW).toUTCString() })).status).toBe(206)
    expect((await get({ range: 'bytes=0-1', 'if-range': new Date(NOW - 1000).toUTCString() })).status).toBe(
      200,
    )
  })
})

describe('conditions', () => {
  const day = 86_400_000
  it.each([
    ['if-none-match', (etag: string) => etag, 304],
    ['if-none-match', (etag: string) => `"x", W/${etag}`, 304],
    ['if-none-match', () => '*', 304],
    ['if-none-match', () => '"x"', 200],
    ['if-match', (etag: string) => `"x", ${etag}`, 200],
    ['if-match', () => '*', 200],
    ['if-match', () => '"x"', 412],
    ['if-match', (etag: string) => `W/${etag}`, 412],
    ['if-modified-since', () => new Date(NOW).toUTCString(), 304],
    ['if-modified-since', () => new Date(NOW - day).toUTCString(), 200],
    ['if-modified-since', () => 'nonsense', 200],
    ['if-unmodified-since', () => new Date(NOW).toUTCString(), 200],
    ['if-unmodified-since', () => new Date(NOW - day).toUTCString(), 412],
  ] as const)('%s decides (%#)', async (name, value, status) => {
    const { get, etag } = await served()
    for (const method of ['GET', 'HEAD']) {
      const response = await get({ [name]: value(etag) }, method)
      expect(response.status).toBe(status)
      if (status === 304) {
        expect(response.body).toBeNull()
        expect(response.headers.get('etag')).toBe(etag)
      }
    }
  })

  it('lets the etag decide where a date is sent too', async () => {
    const { get } = await served()
    const headers = { 'if-none-match': '"x"', 'if-modified-since': new Date(NOW + day).toUTCString() }
    expect((await get(headers)).status).toBe(200)
  })

  it('looks at conditions before the range', async () => {
    const { get, etag } = await served()
    expect((await get({ range: 'bytes=99-', 'if-none-match': etag })).status).toBe(304)
  })
})

describe('public keys', () => {
  it('are read without a signature, by prefix or function, and never written', async () => {
    for (const open of ['open/', (key: string) => key.startsWith('open/')]) {
      const { files, ask } = servedMemory({ public: open })
      await files.upload('open/a.txt', 'for all')
      await files.upload('closed/a.txt', 'for few')
      expect(await (await ask(files.publicUrl('open/a.txt'))).text()).toBe('for all')
      expect((await ask(files.publicUrl('open/missing'))).status).toBe(404)
      expect((await ask(files.publicUrl('closed/a.txt'))).status).toBe(403)
      expect((await ask(files.publicUrl('open/a.txt'), { method: 'DELETE' })).status).toBe(403)
      expect((await ask(files.publicUrl('open/a.txt'), { method: 'PUT', body: 'x' })).status).toBe(403)
    }
  })
})
