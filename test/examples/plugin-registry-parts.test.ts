import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApp } from '../../examples/plugin-registry/open-app.js'
import { packPlugin } from '../../examples/plugin-registry/pack-plugin.js'
import { parseVersion } from '../../examples/plugin-registry/plugin-version.js'
import { RegistryClient } from '../../examples/plugin-registry/registry-client.js'
import { readSettings } from '../../examples/plugin-registry/settings.js'
import { Tickets } from '../../examples/plugin-registry/tickets.js'
import { Refused, withBackoff } from '../../examples/plugin-registry/with-backoff.js'
import { seededRandom } from '../../src/decorators/seeded-random.ts'
import type { Engine, Row, Statement } from '../../src/sql/engine.ts'
import { build } from '../package/packed-package.ts'
import { loopbackServer } from '../support/loopback-server.ts'
import { DEFAULTS, newFolder, plugin, removeFolders } from './plugin-registry-server.ts'

beforeAll(build)
afterAll(removeFolders)

const key = (version: string) => parseVersion(version).sortKey

describe('versions', () => {
  it('sort as semver.org says', () => {
    const ordered = [
      ...[
        '0.0.1',
        '0.9.0',
        '0.10.0',
        '1.0.0-0',
        '1.0.0-1',
        '1.0.0-2.1',
        '1.0.0-11',
        '1.0.0--',
        '1.0.0-alpha',
      ],
      ...[
        '1.0.0-alpha.1',
        '1.0.0-alpha.beta',
        '1.0.0-alpha-1',
        '1.0.0-beta',
        '1.0.0-beta.2',
        '1.0.0-beta.11',
      ],
      ...['1.0.0-rc.1', '1.0.0', '1.0.1-a', '1.0.1', '2.0.0', '10.0.0', '123456789012345.0.0'],
    ]
    const random = seededRandom(6)
    const shuffled = ordered.map(version => ({ version, at: random() })).sort((a, b) => a.at - b.at)
    const sorted = shuffled.map(({ version }) => version).sort((a, b) => (key(a) < key(b) ? -1 : 1))
    expect(sorted).toEqual(ordered)
  })

  it('are refused where semver has none, or no order', () => {
    for (const version of [
      '',
      '1',
      '1.0',
      '01.0.0',
      '1.0.0-',
      '1.0.0-01',
      '1.0.0-a..b',
      '1.0.0+1',
      'v1.0.0',
      '1.0.0 ',
    ])
      expect(() => parseVersion(version), version).toThrow('A version is like')
    expect(() => parseVersion(`1.0.0-${'a'.repeat(60)}`)).toThrow('A version is like')
  })
})

describe('an archive', () => {
  const files = { 'plugin.json': '{"name":"a","version":"1.0.0"}', 'b.js': 'b', 'a/c.js': 'c', 'é.txt': 'e' }

  function folderOf(names: string[]): string {
    const folder = newFolder()
    mkdirSync(join(folder, 'a'))
    for (const name of names) writeFileSync(join(folder, name), files[name as keyof typeof files])
    return folder
  }

  it('has the same bytes wherever and whenever it is packed', async () => {
    const names = Object.keys(files)
    const first = await packPlugin(folderOf(names))
    const other = folderOf(names.reverse())
    for (const name of names) utimesSync(join(other, name), 1_000_000, 1_000_000)
    chmodSync(join(other, 'b.js'), 0o600)
    mkdirSync(join(other, 'node_modules'))
    writeFileSync(join(other, 'node_modules/left-out.js'), '')
    writeFileSync(join(other, '.env'), 'SECRET=1')
    expect((await packPlugin(other)).sha256).toBe(first.sha256)
    writeFileSync(join(other, 'b.js'), 'B')
    expect((await packPlugin(other)).sha256).not.toBe(first.sha256)
  })

  it('holds no links', async () => {
    const folder = folderOf(['plugin.json'])
    symlinkSync('/etc/hostname', join(folder, 'link'))
    await expect(packPlugin(folder)).rejects.toThrow('is no file and no folder')
  })
})

describe('a version check', () => {
  it('is one question to the database, answered from an index', async () => {
    const asked: Statement[] = []
    const app = await openApp(await readSettings(newFolder(), DEFAULTS), {
      origin: 'http://127.0.0.1:1',
      onEvent() {},
      aroundEngine: (engine: Engine) =>
        new Proxy(engine, {
          get(target, name) {
            const value = target[name as keyof Engine]
            if (typeof value !== 'function') return value
            return (first: Statement, ...rest: unknown[]) => {
              if (name === 'query') asked.push(first)
              return Reflect.apply(value, target, [first, ...rest])
            }
          },
        }),
    })
    try {
      asked.length = 0
      await expect(app.registry.check('a', '1.0.0')).rejects.toMatchObject({ status: 404 })
      expect(asked).toHaveLength(1)
      const [sql, ...values] = asked[0]!
      const plan = await app.engine.query([`EXPLAIN QUERY PLAN ${sql}`, ...values])
      expect(plan.map((step: Row) => step.detail)).toEqual([
        'SEARCH t_default__plugin_versions USING INDEX t_default__plugin_versions_latest (name=? AND stable=? AND yanked=?)',
      ])
    } finally {
      await app.files.close()
    }
  })
})

describe('a ticket', () => {
  it('is opened by who has the secret, and never when it was changed', () => {
    const tickets = new Tickets('one secret')
    const ticket = tickets.seal({ name: 'a' })
    expect(tickets.open(ticket)).toEqual({ name: 'a' })
    expect(new Tickets('another').open(ticket)).toBeUndefined()
    const [text, mac] = ticket.split('.') as [string, string]
    const forged = Buffer.from('{"name":"b"}').toString('base64url')
    for (const wrong of [`${forged}.${mac}`, `${text}.${mac.slice(1)}A`, text, '', undefined, 7])
      expect(tickets.open(wrong), String(wrong)).toBeUndefined()
  })
})

describe('withBackoff', () => {
  const calm = { sleep: async () => {}, random: () => 1 }

  it('tries eight times, with pauses that grow', async () => {
    const pauses: number[] = []
    let tries = 0
    const failing = withBackoff(
      async () => {
        tries++
        throw new Error('down')
      },
      { ...calm, sleep: async (ms: number) => pauses.push(ms) },
    )
    await expect(failing).rejects.toThrow('down')
    expect(tries).toBe(8)
    expect(pauses).toEqual([200, 400, 800, 1600, 3200, 5000, 5000])
  })

  it('does not try again what was refused', async () => {
    let tries = 0
    const refused = withBackoff(async () => {
      tries++
      throw new Refused('already-exists', 'no')
    }, calm)
    await expect(refused).rejects.toThrow('no')
    expect(tries).toBe(1)
  })
})

describe('a client', () => {
  it('goes on where the store has taken the bytes and the answer was lost', async () => {
    const server = await loopbackServer()
    const seen: string[] = []
    const headers = { 'content-type': 'application/gzip', 'Content-Length': '11' }
    const upload = { url: `${server.origin}/store`, method: 'PUT', headers }
    const given: unknown[] = []
    server.use((request, response) => {
      seen.push(`${request.method} ${request.url}`)
      request.resume().on('end', () => {
        const json = (value: unknown) => response.end(JSON.stringify(value))
        if (request.url === '/file') return response.end(one.archive)
        if (request.url!.endsWith('/download')) return response.writeHead(302, { location: '/file' }).end()
        if (request.method === 'POST') return json({ upload, ticket: 't' })
        if (request.url !== '/store') return json({ name: 'a' })
        // The first time it is there and nobody hears of it; the second time it is there already.
        if (seen.filter(line => line === 'PUT /store').length === 1) return response.destroy()
        response.writeHead(400).end('{"error":"Duplicate"}')
      })
    })
    const one = plugin('a', '1.0.0')
    try {
      const absolute: typeof fetch = (url, init) => {
        if (String(url) === upload.url) given.push(init?.headers)
        return fetch(new URL(String(url), server.origin), init)
      }
      const client = new RegistryClient(server.origin, {
        fetch: absolute,
        backoff: { sleep: async () => {} },
      })
      expect(await client.publish(one)).toEqual({ name: 'a' })
      expect(seen.filter(line => line.startsWith('PUT'))).toEqual([
        'PUT /store',
        'PUT /store',
        'PUT /plugins/a/1.0.0',
      ])
      // The length is fetch's own to say: undici of npm refuses a second one.
      expect(given[0]).toEqual({ 'content-type': 'application/gzip' })
    } finally {
      await server.close()
    }
  })
})
