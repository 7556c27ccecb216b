/** Who may, over what, and what is never shown. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type RqliteOptions, rqlite } from '../../../src/sql/rqlite/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { refused } from '../../support/refused.ts'
import { type RqliteCluster, startRqlite } from '../../support/rqlite.ts'

const USERS = [
  { username: 'app', password: 'p:ä"ß', perms: ['execute', 'query', 'status'] },
  { username: 'reader', password: 'secret-of-the-reader', perms: ['query'] },
]
const started: RqliteCluster[] = []
const folders: string[] = []
afterAll(async () => {
  await Promise.all(started.map(cluster => cluster.stop()))
  for (const folder of folders) rmSync(folder, { recursive: true })
})

async function start(options: Parameters<typeof startRqlite>[0]): Promise<string> {
  const cluster = await startRqlite({ size: 1, ...options })
  started.push(cluster)
  return cluster.nodes[0]!.url
}

describe('rqlite: users', () => {
  test('works with name and password, and says what is missing without showing either', async () => {
    const url = await start({ users: USERS })
    const app = rqlite({ url, auth: { username: 'app', password: 'p:ä"ß' } })
    await app.batch([['CREATE TABLE a (k TEXT)']], { id: 'one' })
    expect(await app.outcome('one')).toBe(true)
    const reader = rqlite({ url, auth: { username: 'reader', password: 'secret-of-the-reader' } })
    expect(await reader.query(['SELECT k FROM a'])).toEqual([])
    const lacking = await reader.batch([['DELETE FROM a']]).catch(error => error)
    expect(lacking).toMatchObject({ code: 'permission-denied', status: 401 })
    const wrong = rqlite({ url, auth: { username: 'app', password: 'wrong-secret' } })
    const refusal = await wrong.query(['SELECT k FROM a']).catch(error => error)
    expect(refusal).toMatchObject({ code: 'unauthenticated', status: 401 })
    for (const error of [lacking, refusal])
      expect(`${error.stack}${error.message}${error.cause}`).not.toMatch(/secret|Basic/)
    const nobody = rqlite({ url })
    await expect(nobody.query(['SELECT k FROM a'])).rejects.toThrow(/auth: \{ username, password \}/)
    await expect(nobody.batch([['DELETE FROM a']])).rejects.toSatisfy(hasCode('unauthenticated'))
    await Promise.all([app, reader, wrong, nobody].map(engine => engine.close()))
  })

  test('takes no user and no password in a URL, and shows neither', () => {
    for (const url of [
      'http://app:secret@127.0.0.1:4001',
      'http://app:se/cr?et@127.0.0.1',
      'app:secret@host',
    ]) {
      const fail = () => rqlite({ url })
      expect(fail).toThrow(refused(/auth: \{ username, password \}/))
      expect(fail).not.toThrow(/secret|se\/cr/)
    }
  })
})

describe('rqlite: TLS', () => {
  test('trusts the certificate that it is given, and no other unless told so', async () => {
    const { key, cert } = certificate()
    const url = await start({ tls: { key, cert } })
    expect(url).toMatch(/^https:/)
    // The limit then ends in the wait after a refused handshake, not in the next one.
    const waitForever = () => new Promise<void>(() => {})
    const one = async (tls: RqliteOptions['tls']) => {
      const engine = rqlite({ url, deadlineMs: 5000, wait: waitForever, ...(tls && { tls }) })
      try {
        return await engine.query(['SELECT 1 AS one'])
      } finally {
        await engine.close()
      }
    }
    expect(await one({ ca: cert })).toEqual([{ one: 1n }])
    expect(await one({ rejectUnauthorized: false })).toEqual([{ one: 1n }])
    await expect(one(undefined)).rejects.toSatisfy(hasCode('unavailable'))
    await expect(one({ ca: cert, servername: 'other.example' })).rejects.toSatisfy(hasCode('unavailable'))
    const engine = rqlite({ url, tls: { ca: cert } })
    await engine.batch([['CREATE TABLE a (k TEXT)'], ["INSERT INTO a (k) VALUES ('b')"]])
    const file: Uint8Array[] = []
    for await (const chunk of engine.backup()) file.push(chunk)
    expect(Buffer.concat(file).toString('latin1', 0, 15)).toBe('SQLite format 3')
    await engine.close()
  })
})

describe('rqlite: options', () => {
  test.each<[string, unknown, RegExp]>([
    ['no url', {}, /url is missing/],
    ['an empty list', { url: [] }, /url is missing/],
    ['no URL', { url: '127.0.0.1:4001' }, /http:\/\//],
    ['another protocol', { url: 'ftp://127.0.0.1' }, /http:\/\/ or https:/],
    ['a path', { url: 'http://127.0.0.1:4001/db' }, /ends after the port/],
    ['both protocols', { url: ['http://a:1', 'https://b:1'] }, /one of them/],
    ['an unknown option', { url: 'http://a:1', urls: [] }, /unknown option 'urls'/],
    [
      'an unknown option of tls',
      { url: 'https://a:1', tls: { insecure: true } },
      /unknown option 'insecure'/,
    ],
    ['a user without a name', { url: 'http://a:1', auth: { password: 'secret' } }, /username and a password/],
    ['a colon in a name', { url: 'http://a:1', auth: { username: 'a:b', password: '' } }, /no colon/],
    ['a time limit of nothing', { url: 'http://a:1', timeoutMs: 0 }, /timeoutMs must be/],
    ['no connection', { url: 'http://a:1', maxConnections: 0 }, /maxConnections must be/],
  ])('refuse %s', (_, options, message) => {
    expect(() => rqlite(options as RqliteOptions)).toThrow(refused(message))
  })
})

function certificate(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-tls-'))
  folders.push(folder)
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const how = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ]
  execFileSync('openssl', [...how, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}
