import { equal, fails, ok, sameBytes } from './assertions.ts'
import { atOnce } from './bodies.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { SOME_ODD_KEYS } from './odd-keys.ts'
import { fileNameOf, isRefused, SECRET, secretAt, serves, sign, signs, use } from './signed-url-checks.ts'

export const SIGNED_URL_CASES: readonly ConformanceCase[] = [
  {
    id: 'signed-urls/serve',
    title: 'a signed URL serves the object with its type, and a range of it',
    covers: [98],
    needs: ['signedUrl:GET', 'fetch'],
    async run(scope) {
      const key = await secretAt(scope)
      const signed = await sign(scope, key)
      equal(signed.method, 'GET', 'method')
      const left = signed.expiresAt.getTime() - (scope.context.now ?? Date.now)()
      ok(left > 50_000 && left <= 62_000, `expiresAt is ${left} ms away, should be 60 s`)
      const response = await serves(scope, signed.url, SECRET, 'a signed URL')
      ok(
        response.headers.get('content-type')?.startsWith('text/plain'),
        'the type of the response is not text/plain',
      )
      const part = await use(scope, signed, { headers: { range: 'bytes=5-8' } })
      equal([part.status, await part.text()], [206, SECRET.slice(5, 9)], 'status and body of a range')
    },
  },
  {
    id: 'signed-urls/bound-to-method',
    title: 'a URL signed for GET neither stores nor deletes, one for PUT, HEAD or DELETE reads nothing',
    covers: [98],
    needs: ['signedUrl:GET', 'fetch'],
    async run(scope) {
      const key = await secretAt(scope)
      const { url } = await sign(scope, key)
      await isRefused(await scope.fetch(url, { method: 'PUT', body: 'replaced' }), 'PUT to a URL for GET')
      await isRefused(await scope.fetch(url, { method: 'DELETE' }), 'DELETE of a URL for GET')
      await scope.holdsBytes(key, SECRET)
      for (const method of ['HEAD', 'PUT', 'DELETE'] as const) {
        if (!signs(scope, method)) continue
        if (!scope.capabilities.writable && method !== 'HEAD') continue
        const other = await sign(scope, key, { method })
        await isRefused(await scope.fetch(other.url), `GET of a URL for ${method}`, SECRET)
      }
      await scope.holdsBytes(key, SECRET)
    },
  },
  {
    id: 'signed-urls/head',
    title: 'a URL signed for HEAD answers with the size and without a body',
    covers: [98],
    needs: ['signedUrl:HEAD', 'fetch'],
    async run(scope) {
      const response = await use(scope, await sign(scope, await secretAt(scope), { method: 'HEAD' }))
      equal([response.status, await response.text()], [200, ''], 'status and body')
      equal(response.headers.get('content-length'), String(SECRET.length), 'content-length')
    },
  },
  {
    id: 'signed-urls/put',
    title: 'a URL signed for PUT stores, once and again',
    covers: [98],
    needs: ['writable', 'signedUrl:PUT', 'fetch'],
    async run(scope) {
      const key = scope.key('put.txt')
      const signed = await sign(scope, key, { method: 'PUT' })
      for (const body of ['first', 'second']) {
        const response = await use(scope, signed, { body })
        ok(response.ok, `PUT answers ${response.status}`)
        await scope.holdsBytes(key, body)
      }
    },
  },
  {
    id: 'signed-urls/delete',
    title: 'a URL signed for DELETE deletes',
    covers: [98],
    needs: ['writable', 'signedUrl:DELETE', 'fetch'],
    async run(scope) {
      const key = await secretAt(scope)
      const response = await use(scope, await sign(scope, key, { method: 'DELETE' }))
      ok(response.ok, `DELETE answers ${response.status}`)
      await scope.isAbsent(key)
    },
  },
  {
    id: 'signed-urls/without-query',
    title: 'without its query a URL is refused, and with parts of it',
    covers: [99],
    needs: ['signedUrl:GET', 'fetch'],
    async run(scope) {
      const { url } = await sign(scope, await secretAt(scope))
      await isRefused(await scope.fetch(url.slice(0, url.indexOf('?'))), 'a URL without its query', SECRET)
      for (const name of new Set(new URL(url).searchParams.keys())) {
        const without = new URL(url)
        without.searchParams.delete(name)
        // Names that only say how to answer need not be signed.
        if (/^(?:x-id|download)$/i.test(name)) continue
        await isRefused(await scope.fetch(without.href), `a URL without '${name}'`, SECRET)
      }
    },
  },
  {
    id: 'signed-urls/bound-to-content-type',
    title: 'a URL signed for PUT with a type takes no other type',
    covers: [100],
    needs: ['writable', 'signedUrl:PUT', 'fetch'],
    async run(scope) {
      const key = scope.key('typed.txt')
      const able = scope.capabilities.signedUrl
      const signed = () => sign(scope, key, { method: 'PUT', contentType: 'text/x-bound' })
      if (able === false || !able.bindsContentType) {
        await fails(signed, 'unsupported', 'binding a type, which is declared missing,')
        return
      }
      const { url, method, headers } = await signed()
      equal(headers['content-type'], 'text/x-bound', "headers['content-type']")
      for (const type of ['text/html', 'text/x-bound2']) {
        const response = await scope.fetch(url, {
          method,
          body: 'x',
          headers: { ...headers, 'content-type': type },
        })
        await isRefused(response, `PUT as ${type}`)
        await scope.isAbsent(key)
      }
      const stored = await scope.fetch(url, { method, body: 'typed', headers })
      ok(stored.ok, `PUT with the type that was signed answers ${stored.status}`)
      equal((await scope.files.info(key)).contentType, 'text/x-bound', 'contentType')
    },
  },
  {
    id: 'signed-urls/odd-keys',
    title: 'every odd key that can be stored can be fetched by its URL',
    covers: [1, 104],
    needs: ['signedUrl:GET', 'fetch'],
    async run(scope) {
      const keys = SOME_ODD_KEYS.map(name => scope.key(name)).filter(key => scope.holds(key))
      await atOnce(keys, async key => void (await scope.put(key, `content of ${key}`)))
      const results = await scope.files.signedUrls(keys, { expiresIn: 60 })
      equal(
        results.map(result => result.key),
        keys,
        'keys of the results',
      )
      await atOnce(results, async result => {
        const shown = JSON.stringify(result.key)
        ok(result.ok, `signing ${shown} fails`)
        await serves(scope, result.value.url, `content of ${result.key}`, `the URL of ${shown}`)
      })
    },
  },
  {
    id: 'signed-urls/download-name',
    title: 'the name to save under arrives whole, also outside ASCII; true means the name of the key',
    covers: [104],
    needs: ['signedUrl:GET', 'fetch'],
    async run(scope) {
      const key = await secretAt(scope, 'folder/secret.txt')
      for (const download of [
        'plain.txt',
        'two words.txt',
        'Grüße ☺.pdf',
        'a"b;c,d e%20.txt',
        "it's (1)*.txt",
      ]) {
        const { url } = await sign(scope, key, { download })
        const disposition = (await serves(scope, url, SECRET, 'a URL to save')).headers.get(
          'content-disposition',
        )
        ok(
          disposition?.startsWith('attachment'),
          `content-disposition is ${disposition}, should be attachment`,
        )
        equal(fileNameOf(disposition), download, `name in '${disposition}'`)
      }
      const { url } = await sign(scope, key, { download: true })
      const own = (await serves(scope, url, SECRET, 'a URL to save')).headers.get('content-disposition')
      ok(own?.startsWith('attachment'), `content-disposition is ${own}, should be attachment`)
      // Without a name in the answer a browser takes the one in the address.
      const shown = fileNameOf(own) ?? new URL(url).pathname.split('/').at(-1)
      equal(shown, 'secret.txt', `name in '${own}', or else in the address,`)
      for (const download of ['', 'line\nbreak', 'nul\0', 7])
        await fails(
          () => sign(scope, key, { download: download as string }),
          'invalid-argument',
          `download ${download}`,
        )
    },
  },
  {
    id: 'signed-urls/download-name-is-signed',
    title: 'the name to save under can be changed by others only where it is declared not to be signed',
    covers: [103, 104],
    needs: ['signedUrl:GET', 'fetch'],
    async run(scope) {
      const able = scope.capabilities.signedUrl
      const { url } = await sign(scope, await secretAt(scope), { download: 'harmless.txt' })
      ok(url.includes('harmless'), 'the signed URL does not hold the name to save under')
      const response = await scope.fetch(url.replaceAll('harmless', 'evil'))
      if (able !== false && able.bindsDownload) await isRefused(response, 'a URL with another name', SECRET)
      else
        sameBytes(
          new Uint8Array(await response.arrayBuffer()),
          Buffer.from(SECRET),
          'a URL with another name',
        )
    },
  },
]
