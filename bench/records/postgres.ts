/** Inserts on PostgreSQL: what the engine adds to `pg`. For information: no bar is set. */
import { startPostgres } from '../../test/support/postgres.ts'
import { findTool, missingTool } from '../../test/support/tools.ts'
import { race, type Scale, type Section } from '../section.ts'
import { entrant } from './entrant.ts'

export async function benchPostgres(scale: Scale): Promise<Section[] | { missing: string }> {
  const command = findTool('postgres')
  if (command === undefined) return { missing: missingTool('postgres') }
  const server = await startPostgres(command, { fsync: true })
  try {
    const { url, version } = server
    const entrants = [1, 16].flatMap(atOnce => [
      entrant(`bare pg, ${atOnce} at once`, 'postgres-bare', { url, atOnce, table: `bare_${atOnce}` }),
      entrant(`stowage, ${atOnce} at once`, 'postgres-engine', { url, atOnce, table: `ours_${atOnce}` }),
      entrant(`stowage with ids, ${atOnce} at once`, 'postgres-engine', {
        url,
        atOnce,
        ids: true,
        table: `with_ids_${atOnce}`,
      }),
    ])
    const { rates, ratio } = await race(entrants, scale)
    return [
      {
        title: `Inserts on PostgreSQL ${version}`,
        how:
          'One row an operation, committed with fsync on; pools of 10 connections on loopback. Bare: pg with a named prepared statement, autocommit. ' +
          'stowage: engine.batch of one INSERT, between BEGIN and COMMIT; with ids, as records send them, an operation id is written and read beside it.',
        rates,
        bars: [1, 16].flatMap(atOnce =>
          ['stowage', 'stowage with ids'].flatMap(name =>
            ratio(
              `${name} on PostgreSQL, ${atOnce} at once ÷ bare pg`,
              `${name}, ${atOnce} at once`,
              `bare pg, ${atOnce} at once`,
            ),
          ),
        ),
      },
    ]
  } finally {
    await server.stop()
  }
}
