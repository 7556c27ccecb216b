import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Command } from 'commander'
import { parseStoreUrl } from '../../open/store-url.ts'
import { open } from '../../open.ts'
import { fileServer, toNodeHandler } from '../../server/index.ts'
import { port } from '../argument-values.ts'
import { UsageError } from '../exit-codes.ts'
import { inSession, type Session, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface ServeOptions {
  port: number
  host: string
  public?: string
  cors?: string[]
}

export function serveCommand(terminal: Terminal): Command {
  const command = new Command('serve')
    .summary('serve signed URLs of a folder over HTTP')
    .description(
      'Serve the signed URLs of a folder until it is interrupted, for trying out and for development.',
    )
    .argument('<store>', 'file:./dir, or memory:')
    .option('-p, --port <port>', 'port; 0 takes a free one', port, 8080)
    .option('--host <address>', 'address to listen on; by default only this machine can ask', '127.0.0.1')
    .option('--public <prefix>', 'keys that anyone may read without a signature; . is all')
    .option('--cors <origin...>', 'origins whose pages may read and upload; * is all')
    .addHelpText(
      'after',
      `
The secret is STOWAGE_URL_SECRET, or one made for this run and printed. URLs begin with STOWAGE_BASE_URL, or with
the address of this server. Ctrl-C ends it with exit code 0.

Examples:
  stowage serve file:./data
  STOWAGE_URL_SECRET=… stowage serve file:./data --port 9000 --cors http://localhost:3000
  stowage serve file:./site --public .`,
    )
  return withOutputOptions(command).action((store: string, options: ServeOptions) =>
    inSession(terminal, command, session => serve(store, options, session)),
  )
}

async function serve(
  store: string,
  options: ServeOptions,
  { out, terminal, signal }: Session,
): Promise<void> {
  const { kind } = parseStoreUrl(store)
  if (kind !== 'file' && kind !== 'memory')
    throw new UsageError(`${kind} serves its signed URLs by itself; see 'stowage sign --help'`)
  const server = createServer()
  server.listen(options.port, options.host)
  await once(server, 'listening')
  const given = terminal.env.STOWAGE_URL_SECRET
  const secret = given || randomBytes(24).toString('base64url')
  const baseUrl = terminal.env.STOWAGE_BASE_URL || addressOf(server.address() as AddressInfo)
  const signing = { baseUrl, secret }
  const provider = await open(store, { signing })
  const { cors } = options
  server.on(
    'request',
    toNodeHandler(
      fileServer(provider, {
        signing,
        onError: error => void out.fail(error),
        ...(options.public === undefined ? {} : { public: options.public === '.' ? '' : options.public }),
        ...(cors === undefined ? {} : { cors: { origins: cors.includes('*') ? '*' : cors } }),
      }),
    ),
  )
  await out.result({ url: baseUrl }, `serving ${store} at ${baseUrl}`)
  if (!given) {
    out.note(`made a secret for this run; in another terminal:
  export STOWAGE_BASE_URL=${baseUrl} STOWAGE_URL_SECRET=${secret}
  stowage sign ${store} <key>`)
  }
  await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  server.close()
  server.closeAllConnections()
  await provider.close()
}

function addressOf({ address, family, port: taken }: AddressInfo): string {
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address
  return `http://${family === 'IPv6' && host !== 'localhost' ? `[${host}]` : host}:${taken}`
}
