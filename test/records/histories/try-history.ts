import type { Engine } from '../../../src/sql/engine.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { World } from '../support/world.ts'
import { checkHistory } from './check-history.ts'
import type { History } from './history.ts'
import type { HistoryLog } from './history-log.ts'
import { runHistory } from './run-history.ts'
import { shrinkHistory } from './shrink-history.ts'

/** Runs histories one after the other on one database, which is emptied between them. */
export class HistoryTrial {
  readonly #engine: Engine = sqlite({ path: ':memory:' })
  #tables: string[] | undefined

  /** What is wrong with a history, and where something failed in it. */
  async run(history: History): Promise<{ problems: string[]; faults: readonly string[]; log?: HistoryLog }> {
    await this.#empty()
    try {
      const log = await runHistory(history, this.#engine)
      return { problems: checkHistory(log), faults: log.faults, log }
    } catch (error) {
      return { problems: [`it threw ${(error as Error).stack}`], faults: [] }
    }
  }

  /** The smallest history that still fails, as code for a test, with what is wrong with it. */
  async report(history: History): Promise<string> {
    const smallest = await shrinkHistory(history, async candidate => {
      const { problems, faults } = await this.run(candidate)
      return { fails: problems.length > 0, faults }
    })
    const { problems, faults } = await this.run(smallest)
    return [
      `history ${history.seed} fails; what is left of it:`,
      JSON.stringify(smallest),
      `calls that fail in it: ${faults.filter(fault => !smallest.calm.includes(fault)).join(', ') || 'none'}`,
      ...problems,
    ].join('\n')
  }

  async close(): Promise<void> {
    await this.#engine.close()
  }

  async #empty(): Promise<void> {
    const engine = this.#engine
    if (this.#tables === undefined) {
      const world = new World({ engine })
      await engine.batch([['CREATE TABLE app (key TEXT PRIMARY KEY)']])
      await world.simulation.run(world.client().exists('x'))
      const rows = await engine.query(["SELECT name FROM stowage_tables WHERE tenant = 'default'"])
      this.#tables = [...rows.map(row => String(row.name)), 'app']
    }
    await engine.batch(
      this.#tables
        .filter(table => !table.endsWith('__settings'))
        .map(table => [`DELETE FROM ${table}`] as const),
    )
    await engine.forget(Number.MAX_SAFE_INTEGER)
  }
}
