import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ODD_MESSAGES } from '../../examples/tenants/odd-messages.js'
import { sendMail } from '../../examples/tenants/send-mail.js'
import { smtpReceiver } from '../../examples/tenants/smtp-receiver.js'
import { build } from '../package/packed-package.ts'
import { type RqliteCluster, startRqlite } from '../support/rqlite.ts'
import { type RunningExample, runExample, startExample } from './run-example.ts'

// What the machine's own environment says must not choose the database.
const DEFAULTS = { MAIL_DB: '', MAIL_FILES: '', STOWAGE_TENANT_ID: '', RQLITE_USERNAME: '' }

const VERIFIED = [
  '36 sent',
  'mail_demo_a    12     12     12',
  'mail_demo_ab   12     12     12',
  'mail_demo_a_b  12     12     12',
  'all have the sha256 of what was sent',
  'left are 11, 12, 12',
  'no record, no row and no file is left',
]

describe('the demo of tenants', () => {
  let cluster: RqliteCluster
  beforeAll(async () => {
    await build()
    cluster = await startRqlite()
  })
  afterAll(() => cluster?.stop())

  it('keeps odd messages byte for byte on SQLite', async () => {
    const { status, stdout, stderr, left } = await runExample('tenants/demo.js', [], DEFAULTS)
    expect([status, stderr, left]).toEqual([0, '', []])
    for (const said of ['one catcher on sqlite', ...VERIFIED]) expect(stdout).toContain(said)
  })

  it('keeps them on three nodes of rqlite by one variable, and again on what the first run has left', async () => {
    const hosts = cluster.nodes.map(node => new URL(node.url).host)
    for (let run = 0; run < 2; run++) {
      const env = { ...DEFAULTS, MAIL_DB: `rqlite://${hosts.join(',')}` }
      const { status, stdout, stderr, left } = await runExample('tenants/demo.js', [], env)
      expect([status, stderr, left]).toEqual([0, '', []])
      for (const said of ['one catcher on rqlite', ...VERIFIED]) expect(stdout).toContain(said)
    }
  })
})

describe('the server of tenants', () => {
  let server: RunningExample | undefined
  const folder = mkdtempSync(join(tmpdir(), 'stowage-tenants-test-'))
  beforeAll(build)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  afterEach(() => server?.kill('SIGTERM'))

  const start = async (tenants: string[], env: Record<string, string> = {}) => {
    const variables = { ...DEFAULTS, MAIL_FOLDER: folder, SMTP_PORT: '0', PORT: '0', ...env }
    server = await startExample('tenants/server.js', tenants, variables, /:(\d+), for .*\nready: (http:\S+)/)
    return { port: Number(server.said[1]), url: server.said[2]! }
  }
  const subjects = async (url: string) =>
    ((await (await fetch(url)).json()) as { subject: string }[]).map(({ subject }) => subject)
  const mail = (recipients: string[], subject: string) => ({
    sender: 'a@example.org',
    recipients,
    raw: Buffer.from(`Subject: ${subject}\r\n\r\ntext\r\n`),
  })

  it('gives a mail to the tenants it is addressed to, and keeps it when it is killed', async () => {
    const { port } = await start(['acme', 'big_corp'])
    await sendMail(port, mail(['a@acme.test', 'b@big-corp.test'], 'both'))
    await sendMail(port, mail(['a@acme.test'], 'one'))
    await expect(sendMail(port, mail(['a@elsewhere.test'], 'none'))).rejects.toThrow(/^550/)
    await server!.kill('SIGKILL')
    const { url } = await start(['acme', 'big_corp'])
    expect(await subjects(`${url}/acme/mails`)).toEqual(['both', 'one'])
    expect(await subjects(`${url}/big_corp/mails`)).toEqual(['both'])
    expect((await fetch(`${url}/constructor/mails`)).status).toBe(404)
    expect(await server!.kill('SIGTERM')).toBe(0)
  })

  it('takes everything for the tenant that the environment names', async () => {
    const { port, url } = await start([], { STOWAGE_TENANT_ID: 'solo' })
    await sendMail(port, mail(['anyone@anywhere.example'], 'mine'))
    expect(await subjects(`${url}/solo/mails`)).toEqual(['mine'])
  })
})

interface Mail {
  sender: string
  recipients: string[]
  raw: Buffer
}

describe('the receiver of mail', () => {
  const mails: Mail[] = []
  let fails = false
  let server: Server
  let port: number

  beforeAll(async () => {
    server = smtpReceiver({
      maxBytes: 300_000,
      mailboxOf: (address: string) => (address.endsWith('.test') ? 'box' : undefined),
      async deliver(mail: Mail) {
        if (fails) throw new Error('the database is away')
        mails.push(mail)
      },
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => server?.close())
  afterEach(() => {
    mails.length = 0
    fails = false
  })

  /** Sends all and returns the codes of the answers. */
  async function talk(...bytes: (string | Buffer)[]): Promise<string[]> {
    const socket: Socket = connect(port, '127.0.0.1')
    const answers = text(socket)
    for (const part of bytes) {
      socket.write(part)
      // Another turn of the loop, so that the parts are not sent as one.
      await new Promise(setImmediate)
    }
    socket.end()
    return (await answers)
      .split('\r\n')
      .filter(line => line !== '' && line[3] !== '-')
      .map(line => line.slice(0, 3))
  }
  const BEGUN = 'EHLO me\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n'
  const OK = ['220', '250', '250', '250', '354', '250', '221']

  it.each(ODD_MESSAGES as [string, Buffer][])('takes a message with %s as it is', async (_, raw) => {
    await sendMail(port, { sender: 'a@x.test', recipients: ['b@x.test'], raw })
    expect(mails).toMatchObject([{ sender: 'a@x.test', recipients: ['b@x.test'] }])
    expect(mails[0]!.raw.equals(raw)).toBe(true)
  })

  it('reads pipelined commands, and the same byte by byte', async () => {
    const all = `${BEGUN}one\r\n..two\r\n.\r\nQUIT\r\n`
    expect(await talk(all)).toEqual(OK)
    expect(await talk(...Buffer.from(all).toString('latin1'))).toEqual(OK)
    expect(mails.map(({ raw }) => raw.toString())).toEqual(['one\r\n.two\r\n', 'one\r\n.two\r\n'])
  })

  it.each(['\n.\n', '\n.\r\n', '\r.\r\n', '\r\n.\n', '\r\n.\r'])(
    'ends no message at %j, so that none is smuggled in',
    async end => {
      const raw = `one${end}MAIL FROM:<evil@x.test>\r\n`
      const stuffed = raw.replaceAll('\r\n.', '\r\n..')
      expect(await talk(`${BEGUN}${stuffed}.\r\nQUIT\r\n`)).toEqual(OK)
      expect(mails.map(mail => mail.raw.toString())).toEqual([raw])
    },
  )

  it('refuses what is too large, said before or found out, and goes on', async () => {
    const big = `${'x'.repeat(200_000)}\r\n`
    const second = 'MAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\nsmall\r\n.\r\nQUIT\r\n'
    expect(await talk(`${BEGUN}${big}${big}.\r\n${second}`)).toEqual([
      ...OK.slice(0, 5),
      '552',
      ...OK.slice(2),
    ])
    expect(mails.map(({ raw }) => raw.toString())).toEqual(['small\r\n'])
    expect(await talk('EHLO me\r\nMAIL FROM:<a@x.test> SIZE=300001\r\nQUIT\r\n')).toEqual([
      '220',
      '250',
      '552',
      '221',
    ])
  })

  it('says 250 only for what is stored', async () => {
    fails = true
    expect(await talk(`${BEGUN}text\r\n.\r\nQUIT\r\n`)).toEqual([...OK.slice(0, 5), '451', '221'])
    fails = false
    // A connection that ends within a message has sent none.
    expect(await talk(`${BEGUN}text\r\n`)).toEqual(OK.slice(0, 5))
    expect(mails).toEqual([])
  })

  it('refuses commands out of order, unknown, and too long', async () => {
    const lines = [
      'RCPT TO:<b@x.test>',
      'DATA',
      'MAIL FROM:nobody',
      'MAIL FROM:<>',
      'MAIL FROM:<>',
      'RCPT TO:<b@elsewhere.example>',
      'DATA',
      'RSET',
      'DATA',
      'VRFY b',
      'N'.repeat(5000),
      'noop',
      'QUIT',
    ]
    const answers = [
      '220',
      '503',
      '503',
      '501',
      '250',
      '503',
      '550',
      '503',
      '250',
      '503',
      '502',
      '500',
      '250',
      '221',
    ]
    expect(await talk(lines.map(line => `${line}\r\n`).join(''))).toEqual(answers)
  })
})
