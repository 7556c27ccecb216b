/** Batches inside a transaction that the caller has opened, and ends. */
import { invalidArgument, unsupported } from '../../core/errors.ts'
import { assertJoinedBatch, assertReads } from '../engine/assert-call.ts'
import {
  askOperation,
  type BatchResult,
  beginOperation,
  endOperation,
  type JoinedBatchOptions,
  type JoinedTransaction,
  type Row,
  type Statement,
  type StatementResult,
} from '../engine.ts'
import { takeLocks } from './advisory-locks.ts'
import { createOperations } from './create-operations.ts'
import {
  drizzleSession,
  isDrizzle,
  isDrizzleTransaction,
  isKysely,
  isKyselyTransaction,
  kyselySession,
} from './orm-transactions.ts'
import { isPgClient, isPgPool, pgSession } from './pg-client.ts'
import { type PgStatement, toPgStatement } from './pg-statement.ts'
import { isPglite, isPgliteTransaction, pgliteSession } from './pglite-client.ts'
import { toPostgresError } from './postgres-errors.ts'
import { isPostgresJs, isPostgresJsTransaction, postgresJsTransaction } from './postgres-js-client.ts'
import type { PostgresSettings } from './postgres-options.ts'
import { asking, plain, type Session } from './session.ts'
import { enterSchema, leaveSchema } from './settings.ts'
import { POSTGRES } from './statement-text.ts'

/** The caller's transaction: a session, and where its library insists on its own savepoints, these. */
type OuterSession = Session & {
  savepoint?<Result>(work: (session: Session) => Promise<Result>): Promise<Result>
}

/** @throws `invalid-argument` for a pool or a database, where a transaction is needed; `unsupported` for any other thing */
function outerSession(transaction: unknown): OuterSession {
  if (isPostgresJsTransaction(transaction)) return postgresJsTransaction(transaction)
  if (isDrizzleTransaction(transaction)) return drizzleSession(transaction)
  if (isKyselyTransaction(transaction)) return kyselySession(transaction)
  if (isPgliteTransaction(transaction)) return pgliteSession(transaction)
  if (isPgClient(transaction)) return pgSession(transaction)
  const refuse = (given: string, wanted: string) =>
    invalidArgument('join', 'postgres', `${given} is no open transaction; give ${wanted}`)
  if (isPgPool(transaction)) throw refuse('a pg.Pool', 'the client of pool.connect() after its BEGIN')
  if (isPostgresJs(transaction)) throw refuse('the sql of postgres.js', 'the one that sql.begin hands out')
  if (isPglite(transaction)) throw refuse('a PGlite instance', 'the tx that db.transaction hands out')
  if (isDrizzle(transaction)) throw refuse("Drizzle's database", 'the tx that db.transaction hands out')
  if (isKysely(transaction)) throw refuse("Kysely's database", 'the trx of db.transaction().execute')
  throw unsupported(
    'join',
    'postgres',
    'known are a pg client, a transaction of postgres.js, PGlite, Drizzle or Kysely',
  )
}

/** What is known of a caller's transaction, by its handle: it may be joined more than once. */
const ONE_AFTER_ANOTHER = new WeakMap<object, Promise<unknown>>()

const SAVEPOINT = plain('SAVEPOINT stowage')
const RELEASE = plain('RELEASE SAVEPOINT stowage')
const UNDO = plain('ROLLBACK TO SAVEPOINT stowage')

/**
 * Each call runs in a savepoint, so that an error of ours leaves the caller's transaction as it was. A savepoint also
 * tells whether a transaction is open at all.
 */
export function joinTransaction(
  transaction: unknown,
  { schema, now, hasOneConnection }: Pick<PostgresSettings, 'schema' | 'now' | 'hasOneConnection'>,
): JoinedTransaction {
  const outer = outerSession(transaction)
  const handle = transaction as object
  let prepared = false

  const inSavepoint = (statements: readonly PgStatement[]) => {
    const all = [...enterSchema(schema), ...statements, ...leaveSchema(schema)]
    return within(outer, async session => {
      const results = await session.run(all)
      return results.slice(enterSchema(schema).length, results.length - leaveSchema(schema).length)
    })
  }
  const inTurn = async <Result>(operation: string, work: () => Promise<Result>): Promise<Result> => {
    // Savepoints of calls that overlap would end each other.
    const before = ONE_AFTER_ANOTHER.get(handle) ?? Promise.resolve()
    const mine = before.then(work, work)
    ONE_AFTER_ANOTHER.set(handle, mine)
    try {
      return await mine
    } catch (error) {
      throw toPostgresError(error, operation, undefined)
    }
  }
  const prepare = async () => {
    if (prepared) return
    const [found] = await inSavepoint([
      asking(
        "SELECT to_regclass('stowage_operations') IS NOT NULL AS operations, current_setting('transaction_isolation') AS isolation",
      ),
    ])
    const { operations, isolation } = found!.rows[0]!
    // Its statements see the state of its beginning, not what the locks' last holder left.
    if (isolation === 'repeatable read')
      throw invalidArgument(
        'batch',
        'postgres',
        'the transaction is REPEATABLE READ, in which conditions see an old state; open it READ COMMITTED or SERIALIZABLE',
      )
    if (operations !== 1n) await inSavepoint(createOperations(schema))
    prepared = true
  }

  return {
    blocksEngine: hasOneConnection,
    batch(statements, options) {
      return inTurn('batch', async () => {
        assertJoinedBatch(statements, options, POSTGRES)
        await prepare()
        const results = await inSavepoint(joinedStatements(statements, options, now()))
        const own = results.slice(results.length - statements.length - 2)
        const verdict = verdictOf(own)
        if (verdict !== undefined) return verdict
        const [state] = await inSavepoint([toPgStatement(askOperation(options.id))])
        return { applied: state!.rows[0]?.state === 2n, results: undefined }
      })
    },
    query(statement) {
      return inTurn('query', async (): Promise<readonly Row[]> => {
        assertReads(statement, POSTGRES)
        const [result] = await inSavepoint([toPgStatement(statement)])
        return result!.rows
      })
    },
  }
}

function joinedStatements(
  statements: readonly Statement[],
  { id, condition, locks = [] }: JoinedBatchOptions,
  at: number,
): PgStatement[] {
  return [
    ...(locks.length > 0 ? [takeLocks(locks)] : []),
    toPgStatement(beginOperation(id, condition, 'data', at)),
    ...statements.map(toPgStatement),
    toPgStatement(endOperation(id)),
  ]
}

/**
 * From what `beginOperation`, the statements and `endOperation` did; undefined where the id was taken before, so that it
 * has to be asked for.
 */
export function verdictOf(own: readonly StatementResult[]): BatchResult | undefined {
  if (own[0]!.changes !== 1) return undefined
  const applied = own.at(-1)!.changes === 1
  return { applied, results: applied ? own.slice(1, -1) : undefined }
}

async function within<Result>(
  outer: OuterSession,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  if (outer.savepoint !== undefined) return outer.savepoint(work)
  const { run, stopsAtFailure } = outer
  let entered = false
  // The savepoint goes in front of the first statements, without a round trip of its own.
  const session: Session = {
    stopsAtFailure,
    async run(statements) {
      const results = await run(entered ? statements : [SAVEPOINT, ...statements])
      if (entered) return results
      entered = true
      return results.slice(1)
    },
  }
  try {
    const result = await work(session)
    await run([RELEASE])
    return result
  } catch (error) {
    // Fails where the connection is gone or no transaction is open; the first error says more.
    await run([UNDO, RELEASE]).catch(() => {})
    throw error
  }
}
