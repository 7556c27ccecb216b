/** Inserts on SQLite: what the engine adds to the bare library, and what grouping gives. */
import { join } from 'node:path'
import { race, type Scale, type Section } from '../section.ts'
import type { Entrant } from '../turns.ts'
import { entrant } from './entrant.ts'
import type { SqliteLibrary } from './sqlite-library.ts'

const AT_ONCE = 64

export async function benchSqlite(
  libraries: readonly SqliteLibrary[],
  folder: string,
  scale: Scale,
): Promise<Section[]> {
  const sections: Section[] = []
  for (const library of libraries) sections.push(await benchLibrary(library, folder, scale))
  return sections
}

async function benchLibrary(library: SqliteLibrary, folder: string, scale: Scale): Promise<Section> {
  const name = library.replace(':', '-')
  const path = (suffix: string) => join(folder, `${name}-${suffix}.db`)
  const engine = (suffix: string, options: object) =>
    entrant(suffix, 'sqlite-engine', { library, path: path(suffix.replaceAll(/\W+/g, '-')), ...options })
  const bare = `bare ${library}`
  const entrants: Entrant[] = [
    entrant(bare, 'sqlite-bare', { library, path: path('bare') }),
    engine('stowage', { atOnce: 1 }),
    engine('stowage with ids', { atOnce: 1, ids: true }),
    engine(`stowage, ${AT_ONCE} at once`, { atOnce: AT_ONCE }),
    engine(`stowage, ${AT_ONCE} at once, ungrouped`, { atOnce: AT_ONCE, oneByOne: true }),
    engine(`stowage with ids, ${AT_ONCE} at once`, { atOnce: AT_ONCE, ids: true }),
  ]
  const { rates, ratio } = await race(entrants, scale)
  const required = library === 'better-sqlite3'
  return {
    title: `Inserts on SQLite by ${library}`,
    how:
      'One row of five columns an operation, each durable before it is answered (WAL, synchronous=FULL) on a file of its own. ' +
      'Bare: one prepared statement in a loop. stowage: engine.batch of one INSERT, each awaited; with ids, as records send them, the batch carries an operation id.',
    rates,
    bars: [
      ...ratio(
        `single writes by ${library} ÷ bare ${library}`,
        'stowage',
        bare,
        required ? { atLeast: 0.8 } : undefined,
      ),
      ...ratio(`single writes with an id by ${library} ÷ bare ${library}`, 'stowage with ids', bare),
      ...ratio(
        `${AT_ONCE} at once by ${library}, grouped ÷ ungrouped`,
        `stowage, ${AT_ONCE} at once`,
        `stowage, ${AT_ONCE} at once, ungrouped`,
        { atLeast: 2 },
      ),
    ],
  }
}
