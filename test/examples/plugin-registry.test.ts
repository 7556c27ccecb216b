import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RegistryClient } from '../../examples/plugin-registry/registry-client.js'
import { build } from '../package/packed-package.ts'
import {
  archivesIn,
  ask,
  change,
  newFolder,
  type Plugin,
  plugin,
  pluginFolder,
  removeFolders,
  type ShownVersion,
  startServer,
  TOKEN,
  tokenOf,
} from './plugin-registry-server.ts'
import { runExample } from './run-example.ts'

beforeAll(build)
afterAll(removeFolders)

describe('the server of plugin-registry', () => {
  let folder: string
  let server: Awaited<ReturnType<typeof startServer>>
  let client: RegistryClient

  beforeEach(async () => {
    folder = newFolder()
    server = await startServer(folder)
    client = new RegistryClient(server.url, { token: TOKEN })
  })
  afterEach(() => server?.kill('SIGTERM'))

  const publishAll = (...plugins: Plugin[]) => Promise.all(plugins.map(one => client.publish(one)))
  const versionsOf = async (name: string) =>
    (await ask<{ versions: ShownVersion[] }>(server.url, `/plugins/${name}`)).body.versions

  it('publishes what was sent to the store, with its row, and hands it out by a signed URL', async () => {
    const notes = plugin('meeting-notes', '1.0.0')
    const published = await client.publish(notes)
    expect(published).toMatchObject({
      name: 'meeting-notes',
      version: '1.0.0',
      sha256: notes.sha256,
      size: notes.archive.length,
      yanked: false,
    })
    const { status, headers } = await ask(server.url, '/plugins/meeting-notes/1.0.0/download')
    expect([status, headers.get('cache-control')]).toEqual([302, 'no-store'])
    const answer = await fetch(headers.get('location')!)
    expect(answer.headers.get('content-disposition')).toContain('meeting-notes-1.0.0.tgz')
    expect(answer.headers.get('content-type')).toBe('application/gzip')
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(notes.archive)
    const again = await ask(server.url, '/plugins/meeting-notes/1.0.0/download')
    expect(again.headers.get('location')).toBe(headers.get('location'))
  })

  it('publishes a version once: the same content again is fine, another one is refused', async () => {
    const first = plugin('a', '1.0.0')
    const published = await client.publish(first)
    expect(await client.publish(first)).toEqual(published)
    await expect(client.publish(plugin('a', '1.0.0', 'other'))).rejects.toMatchObject({
      code: 'already-exists',
    })
    expect(await client.download('a', '1.0.0')).toEqual(new Uint8Array(first.archive))
    expect(archivesIn(folder, 'a')).toHaveLength(1)
  })

  it('makes one version of many publishers at once, of one content', async () => {
    const same = Array.from({ length: 8 }, () => client.publish(plugin('a', '1.0.0')))
    const published = await Promise.all(same)
    for (const one of published) expect(one).toEqual(published[0])
    const contents = Array.from({ length: 8 }, (_, index) => plugin('b', '1.0.0', `content ${index}`))
    const settled = await Promise.allSettled(contents.map(one => client.publish(one)))
    const won = settled.flatMap((one, index) => (one.status === 'fulfilled' ? [contents[index]!] : []))
    expect(won).toHaveLength(1)
    expect(await versionsOf('a')).toHaveLength(1)
    expect(await versionsOf('b')).toMatchObject([{ sha256: won[0]!.sha256 }])
    expect([...archivesIn(folder, 'a'), ...archivesIn(folder, 'b')]).toHaveLength(2)
  })

  it('publishes nothing that is not what was announced', async () => {
    const { archive, sha256 } = plugin('a', '1.0.0')
    const begin = () =>
      change<{ upload: { url: string; headers: Record<string, string> }; ticket: string }>(
        server.url,
        'POST',
        '/plugins/a/1.0.0',
        { sha256, size: archive.length },
      )
    const { body } = await begin()
    const nothing = await change(server.url, 'PUT', '/plugins/a/1.0.0', { ticket: body.ticket })
    expect([nothing.status, nothing.body.error.code]).toEqual([404, 'not-found'])
    const wrong = Buffer.from(archive).reverse()
    const put = await fetch(body.upload.url, { method: 'PUT', headers: body.upload.headers, body: wrong })
    expect(put.status).toBeLessThan(300)
    const refused = await change(server.url, 'PUT', '/plugins/a/1.0.0', { ticket: body.ticket })
    expect([refused.status, refused.body.error.code]).toEqual([400, 'checksum-mismatch'])
    const elsewhere = await change(server.url, 'PUT', '/plugins/a/1.0.1', { ticket: body.ticket })
    const forged = await change(server.url, 'PUT', '/plugins/a/1.0.0', { ticket: `${body.ticket}x` })
    expect([elsewhere.status, forged.status]).toEqual([403, 403])
    expect((await ask(server.url, '/plugins/a/1.0.0')).status).toBe(404)
    expect((await ask(server.url, '/plugins/a/1.0.0/download')).status).toBe(404)
  })

  it('answers a version check with an ETag, and with 304 while nothing has changed', async () => {
    await publishAll(...['1.9.0', '1.10.0', '2.0.0-beta.1'].map(version => plugin('a', version)))
    const check = (current: string, headers = {}) =>
      ask<{ version: string; update: boolean }>(server.url, `/plugins/a/latest?current=${current}`, {
        headers,
      })
    const first = await check('1.9.0')
    expect(first.body).toMatchObject({ version: '1.10.0', update: true })
    expect((await check('1.10.0')).body).toMatchObject({ version: '1.10.0', update: false })
    expect((await check('2.0.0-beta.1')).body.update).toBe(false)
    const etag = { 'if-none-match': first.headers.get('etag')! }
    const unchanged = await check('1.9.0', etag)
    expect([unchanged.status, unchanged.body]).toEqual([304, ''])
    const weak = { 'if-none-match': `"other", W/${etag['if-none-match']}` }
    expect((await check('1.9.0', weak)).status).toBe(304)
    await client.publish(plugin('a', '1.10.1'))
    const changed = await check('1.9.0', etag)
    expect([changed.status, changed.body.version]).toEqual([200, '1.10.1'])
    expect((await check('first')).status).toBe(400)
    expect((await ask(server.url, '/plugins/none/latest')).status).toBe(404)
  })

  it('offers a yanked version to nobody, and still gives it to who has it', async () => {
    await publishAll(plugin('a', '1.0.0'), plugin('a', '1.1.0'))
    const latest = async () => (await ask<{ version: string }>(server.url, '/plugins/a/latest')).body.version
    const yanked = await change<ShownVersion>(server.url, 'PUT', '/plugins/a/1.1.0/yank')
    expect([yanked.status, yanked.body.yanked, await latest()]).toEqual([200, true, '1.0.0'])
    expect(await client.download('a', '1.1.0')).toEqual(new Uint8Array(plugin('a', '1.1.0').archive))
    await change(server.url, 'PUT', '/plugins/a/1.1.0/yank')
    const back = await change<ShownVersion>(server.url, 'DELETE', '/plugins/a/1.1.0/yank')
    expect([back.body.yanked, await latest()]).toEqual([false, '1.1.0'])
    expect((await change(server.url, 'PUT', '/plugins/a/9.9.9/yank')).status).toBe(404)
  })

  it('lists plugins by name, page by page, and finds them by name and description', async () => {
    await publishAll(
      ...['1.0.0', '1.2.0'].map(version => plugin('b', version)),
      ...['a', 'c', 'c-more'].map(name => plugin(name, '1.0.0')),
    )
    const list = async (query: string) =>
      (await ask<{ plugins: ShownVersion[]; next?: string }>(server.url, `/plugins${query}`)).body
    const page = await list('?limit=2')
    expect(page.plugins.map(one => `${one.name} ${one.version}`)).toEqual(['a 1.0.0', 'b 1.2.0'])
    expect((await list(`?limit=2&after=${page.next}`)).plugins.map(one => one.name)).toEqual(['c', 'c-more'])
    expect((await list('?search=THE%20PLUGIN%20C')).plugins.map(one => one.name)).toEqual(['c', 'c-more'])
    expect((await list('?search=%25')).plugins).toEqual([])
    expect((await ask(server.url, '/plugins?limit=0')).status).toBe(400)
  })

  it('lets nobody change anything without the token', async () => {
    await client.publish(plugin('a', '1.0.0'))
    for (const [method, path] of [
      ['POST', '/plugins/a/1.0.1'],
      ['PUT', '/plugins/a/1.0.1'],
      ['PUT', '/plugins/a/1.0.0/yank'],
      ['DELETE', '/plugins/a/1.0.0/yank'],
    ] as const)
      for (const authorization of [
        '',
        'Bearer',
        `Bearer ${TOKEN}x`,
        `Bearer ${TOKEN.slice(1)}`,
        `Basic ${TOKEN}`,
      ]) {
        const { status } = await ask(server.url, path, { method, headers: { authorization } })
        expect([method, path, authorization, status]).toEqual([method, path, authorization, 401])
      }
    expect((await versionsOf('a'))[0]!.yanked).toBe(false)
  })

  it('refuses what is no plugin, as JSON with a status', async () => {
    const wish = { sha256: 'a'.repeat(64), size: 10 }
    for (const [status, path, body] of [
      [400, '/plugins/a/01.0.0', wish],
      [400, '/plugins/a/1.0', wish],
      [404, '/plugins/a/1.0.0+build', wish],
      [404, '/plugins/A/1.0.0', wish],
      [404, '/plugins/..%2Fa/1.0.0', wish],
      [400, `/plugins/${'a'.repeat(65)}/1.0.0`, wish],
      [400, '/plugins/a/1.0.0', { ...wish, sha256: 'A'.repeat(64) }],
      [400, '/plugins/a/1.0.0', { ...wish, size: '10' }],
      [400, '/plugins/a/1.0.0', { ...wish, description: 'x'.repeat(501) }],
      [413, '/plugins/a/1.0.0', { ...wish, size: 26 * 1024 ** 2 }],
    ] as const) {
      const answer = await change(server.url, 'POST', path, body)
      expect([path, answer.status, typeof answer.body.error.code]).toEqual([path, status, 'string'])
    }
    expect(server.output()).not.toMatch(/error/i)
  })

  it('tells Prometheus of requests, of the store and of URLs that were known', async () => {
    await client.publish(plugin('a', '1.0.0'))
    await client.download('a', '1.0.0')
    const { body } = await ask<string>(server.url, '/metrics')
    expect(body).toContain('http_request_seconds_count{route="PUT /plugins/:name/:version",status="201"} 1')
    expect(body).toContain('signed_url{outcome="miss"} 1')
    expect(body).toContain('signed_url{outcome="hit"} 1')
    expect(body).toMatch(/storage_operation_seconds_count\{operation="copy",outcome="ok"\} 1/)
  })
})

describe('publish.js', () => {
  it('packs a folder, publishes it, waits for it, and says nothing new the second time', async () => {
    const folder = newFolder()
    const server = await startServer(folder, { PUBLISH_TOKEN: '' })
    try {
      const source = pluginFolder(folder, 'meeting-notes', '1.0.0')
      const env = { PUBLISH_TOKEN: tokenOf(folder), REGISTRY_URL: server.url }
      const first = await runExample('plugin-registry/publish.js', [source], env)
      expect([first.status, first.stderr]).toEqual([0, ''])
      expect(first.stdout).toMatch(/^packed: \d+ bytes, .*\nasked\nsent\npublished\nchecked\n/)
      const second = await runExample('plugin-registry/publish.js', [source], env)
      expect(second.stdout.replace(/\n/g, ' ')).toMatch(/asked checked meeting-notes 1.0.0 is there $/)
      const wrong = await runExample('plugin-registry/publish.js', [source], { ...env, PUBLISH_TOKEN: 'x' })
      expect([wrong.status, wrong.stderr]).toEqual([1, 'publish: This needs the publish token.\n'])
    } finally {
      await server.kill('SIGTERM')
    }
  })

  it('has a plugin to try it with', () => {
    const path = join(import.meta.dirname, '../../examples/plugin-registry/sample-plugin/plugin.json')
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ name: 'meeting-notes', version: '1.0.0' })
  })
})
