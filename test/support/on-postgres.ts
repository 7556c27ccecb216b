/** The PostgreSQL that the test run started, for test files. */
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { describe, inject, test } from 'vitest'
import type { PostgresServer } from './postgres.ts'

const LEAVE_LIMIT_MS = 5_000
const LEAVE_POLL_MS = 10

/**
 * Declares tests that need a real PostgreSQL. Where it is not there, one skipped test carries the reason.
 *
 * @example
 * describeOnPostgres('postgres locks', server => {
 *   test('…', async () => { const database = await createDatabase(server); … })
 * })
 */
export function describeOnPostgres(title: string, declare: (server: PostgresServer) => void): void {
  const server = inject('postgres')
  describe(`${title} on PostgreSQL`, () => {
    if ('missing' in server) test('can not run here', context => context.skip(server.missing))
    else declare(server)
  })
}

export interface TestDatabase {
  url: string
  /** Waits for connections that are being closed, and ends what is still connected. */
  drop(): Promise<void>
}

/** A new, empty database; in a file's `beforeAll`, say. */
export async function createDatabase(server: PostgresServer): Promise<TestDatabase> {
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`
  await onServer(server, client => client.query(`CREATE DATABASE ${name}`))
  const url = server.url.replace(/[^/]+$/, name)
  return {
    url,
    async drop() {
      await onServer(server, async client => {
        await untilLeft(client, name)
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      })
    },
  }
}

/**
 * `end()` of a `pg.Pool` resolves before its connections have closed. One that is ended by force meanwhile is an error that
 * the pool emits, and without a listener that is one of the process.
 */
async function untilLeft(client: pg.Client, database: string): Promise<void> {
  const deadline = performance.now() + LEAVE_LIMIT_MS
  while (performance.now() < deadline) {
    const { rows } = await client.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [database])
    if (rows.length === 0) return
    await wait(LEAVE_POLL_MS)
  }
}

async function onServer(
  server: PostgresServer,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client(server.url)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
