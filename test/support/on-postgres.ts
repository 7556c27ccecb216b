/** The PostgreSQL that the test run started, for test files. */
import pg from 'pg'
import { describe, inject, test } from 'vitest'
import type { PostgresServer } from './postgres.ts'

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
  /** Ends what is still connected. */
  drop(): Promise<void>
}

/** A new, empty database; in a file's `beforeAll`, say. */
export async function createDatabase(server: PostgresServer): Promise<TestDatabase> {
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`
  await onServer(server, `CREATE DATABASE ${name}`)
  const url = server.url.replace(/[^/]+$/, name)
  return { url, drop: () => onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

async function onServer(server: PostgresServer, sql: string): Promise<void> {
  const client = new pg.Client(server.url)
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
