import type { Command } from 'commander'
import { openEngine } from '../open/open-engine.ts'
import type { Engine } from '../sql/engine.ts'
import { assertDatabaseThere } from './database-file.ts'
import { UsageError } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

export interface RecordsOption {
  records?: string
}

/** The option that names the database of records. */
export function withRecordsOption(command: Command): Command {
  return command.option(
    '--records <url>',
    'URL of the records, as sqlite:./records.db, postgres://… or rqlite://h1:4001,h2:4001 (else STOWAGE_RECORDS)',
  )
}

/** Opens the records, and closes them when `work` has ended. @param mayMake for commands that begin something: the database is made where there is none */
export async function withEngine<Result>(
  { env }: Terminal,
  { records = env.STOWAGE_RECORDS }: RecordsOption,
  work: (engine: Engine) => Promise<Result>,
  { mayMake = false }: { mayMake?: boolean } = {},
): Promise<Result> {
  if (!records) throw new UsageError('name the records with --records, as --records sqlite:./records.db')
  if (!mayMake) assertDatabaseThere(records)
  const engine = await openEngine(records, { env })
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}
