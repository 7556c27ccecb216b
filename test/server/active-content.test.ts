import { describe, expect, it } from 'vitest'
import { codeOf, servedMemory } from './served-memory.ts'

async function headersOf(
  key: string,
  contentType: string | undefined,
  options: Parameters<typeof servedMemory>[0] = {},
  sign: { download?: string | boolean } = {},
  contentDisposition?: string,
) {
  const { files, ask } = servedMemory(options)
  await files.upload(key, 'x', { contentType, contentDisposition })
  const { url } = await files.signedUrl(key, { expiresIn: 60, ...sign })
  return (await ask(url)).headers
}

describe('content that could act', () => {
  it.each([
    'text/html',
    'TEXT/HTML; charset=utf-8',
    'image/svg+xml',
    'image/svg',
    'image/x+xml',
    'video/x+xml',
    'application/xhtml+xml',
    'application/xml',
    'text/xml',
    'application/rss+xml',
    'text/xsl',
    'multipart/related',
    'application/x-shockwave-flash',
    'application/octet-stream',
    'message/rfc822',
  ])('%s is saved, not shown', async type => {
    const headers = await headersOf('a/page.bin', type)
    expect(headers.get('content-disposition')).toBe('attachment; filename="page.bin"')
    expect(headers.get('content-type')).toBe(type)
  })

  it.each(['image/png', 'video/mp4', 'audio/mpeg', 'text/plain; charset=utf-8', 'application/pdf'])(
    '%s is shown',
    async type => {
      expect((await headersOf('a', type)).get('content-disposition')).toBeNull()
    },
  )

  it.each(['text/javascript', 'application/javascript', 'application/x-javascript', 'text/ecmascript'])(
    '%s is sent as text, so that no page can load it as its script',
    async type => {
      expect((await headersOf('a.js', type)).get('content-type')).toBe('text/plain; charset=utf-8')
      const asked = await headersOf('a.js', type, { inlineTypes: [type] })
      expect(asked.get('content-type')).toBe(type)
    },
  )

  it('is in a sandbox whatever its type, and no type is guessed', async () => {
    for (const type of ['text/html', 'image/svg+xml', 'text/plain', 'image/png', 'text/csv']) {
      const headers = await headersOf('a', type)
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*; sandbox$/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-site')
    }
  })

  it.each(['video/mp4', 'audio/mpeg', 'application/pdf'])(
    '%s is without a sandbox, which it is not shown in',
    async type => {
      const policy = (await headersOf('a', type)).get('content-security-policy')
      expect(policy).toMatch(/^default-src 'none';/)
      expect(policy).not.toMatch(/sandbox|script-src/)
    },
  )

  it('is shown where asked, and acts only where the policy is taken away too', async () => {
    const shown = await headersOf('a.html', 'text/html', { inlineTypes: ['text/html'] })
    expect(shown.get('content-disposition')).toBeNull()
    expect(shown.get('content-security-policy')).toMatch(/sandbox/)
    const acting = await headersOf('a.html', 'text/html', {
      inlineTypes: ['text/html'],
      contentSecurityPolicy: false,
    })
    expect(acting.get('content-security-policy')).toBeNull()
  })

  it('is saved although an inline disposition is stored', async () => {
    const headers = await headersOf('a.html', 'text/html', {}, {}, 'inline; filename="x.html"')
    expect(headers.get('content-disposition')).toBe('attachment; filename="a.html"')
    const kept = await headersOf('a.html', 'text/html', {}, {}, 'attachment; filename="x.html"')
    expect(kept.get('content-disposition')).toBe('attachment; filename="x.html"')
  })
})

describe('a download name', () => {
  it.each([
    [true, 'photo.png', 'attachment; filename="photo.png"'],
    ['Report 1.pdf', '', 'attachment; filename="Report 1.pdf"'],
    [
      'Übersicht 😀.pdf',
      '',
      'attachment; filename="_bersicht _.pdf"; filename*=UTF-8\'\'%C3%9Cbersicht%20%F0%9F%98%80.pdf',
    ],
    ['a"b\\c/d.txt', '', 'attachment; filename="a_b_c_d.txt"; filename*=UTF-8\'\'a%22b_c_d.txt'],
    ["50%'(*).txt", '', "attachment; filename=\"50_'(*).txt\"; filename*=UTF-8''50%25%27%28%2A%29.txt"],
  ])('%j is told in ASCII and in UTF-8', async (download, _, expected) => {
    const headers = await headersOf('a/photo.png', 'image/png', {}, { download })
    expect(headers.get('content-disposition')).toBe(expected)
  })
})

describe('scripts of other origins', () => {
  const cors = { origins: ['https://app.example'] }
  const origin = 'https://app.example'

  it('are told what they may ask, without a signature', async () => {
    const { files, ask } = servedMemory({ cors })
    const { url } = await files.signedUpload('a', { expiresIn: 60 })
    const headers = {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type',
    }
    const response = await ask(url, { method: 'OPTIONS', headers })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe(origin)
    expect(response.headers.get('access-control-allow-methods')).toContain('PUT')
    expect(response.headers.get('access-control-allow-headers')).toBe('content-type')
    expect(response.headers.get('vary')).toContain('Origin')
  })

  it('see answers and refusals where they are allowed, and nothing where not', async () => {
    const { files, ask } = servedMemory({ cors })
    await files.upload('a', 'x')
    const { url } = await files.signedUrl('a', { expiresIn: 60 })
    const good = await ask(url, { headers: { origin } })
    expect(good.headers.get('access-control-allow-origin')).toBe(origin)
    expect(good.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    const refused = await ask(`${url}x`, { headers: { origin } })
    expect([refused.headers.get('access-control-allow-origin'), await codeOf(refused)]).toEqual([
      origin,
      'bad-signature',
    ])
    for (const other of ['https://evil.example', 'null', 'https://app.example.evil.example']) {
      const response = await ask(url, { headers: { origin: other } })
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  it('may be all of them, and are none by default', async () => {
    const all = servedMemory({ cors: { origins: '*' } })
    const open = await all.ask('https://example.org/files/a', { method: 'OPTIONS', headers: { origin } })
    expect(open.headers.get('access-control-allow-origin')).toBe('*')
    const none = await servedMemory().ask('https://example.org/files/a', {
      method: 'OPTIONS',
      headers: { origin },
    })
    expect(none.headers.get('access-control-allow-origin')).toBeNull()
  })
})
