/**
 * The process that is killed. Each of its lanes says on stdout what it begins, and what it has been told is done:
 * `<lane> {step}`, `<lane> done`.
 */
import { writeSync } from 'node:fs'
import pg from 'pg'
import { open } from '../../../src/open.ts'
import type { JoinOptions } from '../../../src/records/index.ts'
import type { Statement } from '../../../src/sql/engine.ts'
import { randomOf } from '../support/random.ts'
import type { WorkerTask } from './kills.ts'
import { after, LANES, type Lane, nextStep, type State, type Step, textOf } from './steps.ts'

const task: WorkerTask = JSON.parse(process.argv[2]!)
const files = await open(task.store, { records: task.records, recordsOptions: task.options })

const say = (line: string) => void writeSync(1, `${line}\n`)

function alsoOf(step: Step, state: State): Statement[] {
  const remove: Statement = ['DELETE FROM application WHERE key = ?', step.key]
  const put = (key: string, content: string): Statement => [
    'INSERT INTO application (key, content) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET content = excluded.content',
    key,
    content,
  ]
  if (step.kind === 'upload') return [put(step.key, step.content)]
  if (step.kind === 'delete') return [remove]
  const copied = put(step.to, state[step.key]!)
  return step.kind === 'copy' ? [copied] : [remove, copied]
}

const pool =
  task.transactions === undefined ? undefined : new pg.Pool({ connectionString: task.transactions })

/** In a transaction of our own, the rows by our own connection. */
async function performInside(step: Step, state: State): Promise<void> {
  const client = await pool!.connect()
  await client.query('BEGIN')
  const operation = await call(step, { transaction: client })
  for (const [sql, ...parameters] of alsoOf(step, state)) {
    let at = 0
    await client.query(
      sql.replaceAll('?', () => `$${++at}`),
      parameters,
    )
  }
  await client.query('COMMIT')
  client.release()
  if (operation !== undefined) await files.settle(operation)
}

/** Returns the operation to settle. */
async function call(step: Step, options: JoinOptions): Promise<string | undefined> {
  if (step.kind === 'upload') return (await files.upload(step.key, textOf(step.content), options)).etag
  if (step.kind === 'copy') return (await files.copy(step.key, step.to, options)).etag
  if (step.kind === 'move') return (await files.move(step.key, step.to, options)).etag
  const result = await files.delete(step.key, options)
  if (result.status !== 'deleted') throw new Error(`delete: ${JSON.stringify(result)}`)
  return result.operationId
}

async function work(lane: Lane): Promise<void> {
  const random = randomOf(`${task.seed} ${lane}`)
  let state = task.states[lane]
  for (let count = 0; ; count++) {
    const step = nextStep(random, lane, state, `${task.seed}.${lane}${count}`)
    say(`${lane} ${JSON.stringify(step)}`)
    if (pool !== undefined && random() < 0.5) await performInside(step, state)
    else await call(step, { also: alsoOf(step, state) })
    say(`${lane} done`)
    state = after(state, step)
  }
}

// What is slow once is not what is to be killed each time.
await Promise.all([files.exists('a/0.txt'), files.clock()])
if (pool !== undefined) await pool.query('SELECT 1')
say('ready')
Promise.all(LANES.map(work)).catch(error => {
  say(`failed ${error.stack}`)
  process.exit(1)
})
