/** Kills a process in the middle of its work, again and again, and looks each time at what it has left. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { open, openEngine } from '../../../src/open.ts'
import { type RecordsOptions, withRecords } from '../../../src/records/index.ts'
import { bundledWorker } from '../../support/bundled-worker.ts'
import { endProblems, takeInventory } from '../support/inventory.ts'
import { randomOf } from '../support/random.ts'
import { APPLICATION_TABLE, after, LANES, type Lane, type State, type Step, textOf } from './steps.ts'

export interface WorkerTask {
  /** URLs, as `open` and `openEngine` take them. */
  readonly store: string
  readonly records: string
  readonly options: RecordsOptions
  /** Address of the PostgreSQL in which half of the steps are taken in a transaction of the application's own. */
  readonly transactions?: string | undefined
  readonly seed: string
  readonly states: Readonly<Record<Lane, State>>
}

export interface KillsSetting {
  readonly store: string
  readonly records: string
  readonly transactions?: string
  readonly env?: Readonly<Record<string, string>>
  readonly seed: string
  readonly kills: number
  /** Milliseconds that a request of a dead process may still be under way to the store. Default: 0. */
  readonly lateMs?: number
  /** Milliseconds of work, at most, before a kill. Default: 150. */
  readonly mostWorkMs?: number
  /** What else happens while the process works. */
  beside?(kill: number): Promise<void>
}

export interface KillsReport {
  readonly kills: number
  /** Steps that the processes were told are done. */
  readonly done: number
  /** Steps that were under way as they were killed, and how many of them had happened. */
  readonly interrupted: number
  readonly happened: number
}

/** @throws where anything is lost, half there or left over */
export async function runKills(setting: KillsSetting): Promise<KillsReport> {
  const { lateMs = 0, mostWorkMs = 150, seed, beside } = setting
  const options: RecordsOptions = { replaceGraceMs: 0, lateMs }
  const env = { ...process.env, ...setting.env }
  const provider = await open(setting.store, { env })
  const engine = await openEngine(setting.records, { env })
  const files = withRecords(provider, engine, options)
  const worker = await bundledWorker(join(import.meta.dirname, 'worker.ts'))
  try {
    await engine.batch([[APPLICATION_TABLE]])
    await files.recover()
    let states: Record<Lane, State> = { a: {}, b: {}, c: {} }
    const totals = { done: 0, interrupted: 0, happened: 0 }
    for (let kill = 1; kill <= setting.kills; kill++) {
      const name = `${seed}.${kill}`
      const { store, records, transactions } = setting
      const task: WorkerTask = { store, records, transactions, options, seed: name, states }
      const [life] = await Promise.all([
        liveAndDie(worker.path, task, env, { random: randomOf(name), mostWorkMs }),
        beside?.(kill),
      ])
      const left = await checkedState(kill)
      states = { a: {}, b: {}, c: {} }
      for (const lane of LANES) {
        const { before, pending, done } = life[lane]
        totals.done += done
        const now = laneOf(left, lane)
        const possible = pending === undefined ? [before] : [before, after(before, pending)]
        const at = possible.findIndex(state => sameState(state, now))
        if (at === -1)
          throw new Error(
            `after kill ${name}, lane ${lane}: ${JSON.stringify(now)} is none of ${JSON.stringify(possible)}`,
          )
        states[lane] = now
        if (pending === undefined) continue
        totals.interrupted++
        totals.happened += at
      }
    }
    await wait(lateMs + 1)
    await files.recover()
    const problems = endProblems(await takeInventory(provider, engine))
    if (problems.length > 0) throw new Error(`at the end: ${problems.join('; ')}`)
    const report = await files.audit()
    if (!report.clean) throw new Error(`the audit found ${JSON.stringify(report.findings)}`)
    return { kills: setting.kills, ...totals }
  } finally {
    worker.remove()
    await files.close()
  }

  /** What the application's rows say, once files, bytes and rows have been found to agree. */
  async function checkedState(kill: number): Promise<State> {
    const { inventory, rows } = await settledInventory()
    const problems = [...inventory.problems]
    for (const { key, content } of rows)
      if (inventory.files.get(String(key)) !== textOf(String(content)))
        problems.push(`the row of ${key} says ${content}, which the file is not`)
    if (inventory.files.size !== rows.length)
      problems.push(`${rows.length} rows, ${inventory.files.size} files: ${[...inventory.files.keys()]}`)
    if (problems.length > 0) throw new Error(`after kill ${seed}.${kill}: ${problems.join('; ')}`)
    return Object.fromEntries(rows.map(({ key, content }) => [String(key), String(content)]))
  }

  /** What a dead process had sent to the database may be done while it is looked at: then it is looked at once more. */
  async function settledInventory() {
    const rowsNow = () => engine.query(['SELECT key, content FROM application ORDER BY key'])
    for (;;) {
      await files.recover()
      const rows = await rowsNow()
      const inventory = await takeInventory(provider, engine)
      if (isDeepStrictEqual(rows, await rowsNow())) return { inventory, rows }
    }
  }
}

interface LaneLife {
  /** With all that was told to be done. */
  before: State
  pending: Step | undefined
  done: number
}

async function liveAndDie(
  path: string,
  task: WorkerTask,
  env: NodeJS.ProcessEnv,
  { random, mostWorkMs }: { random: () => number; mostWorkMs: number },
): Promise<Record<Lane, LaneLife>> {
  const child = spawn(process.execPath, [path, JSON.stringify(task)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = outputOf(child)
  try {
    // Every tenth dies while it starts.
    if (random() > 0.1) await output.ready
    await wait(random() * mostWorkMs)
  } finally {
    child.kill('SIGKILL')
  }
  const { signal, lines, stderr } = await output.ended
  const failed = lines.find(line => line.startsWith('failed'))
  if (signal !== 'SIGKILL' || failed !== undefined)
    throw new Error(`the process ended by itself in ${task.seed}: ${failed ?? stderr}`)
  const life = (lane: Lane): LaneLife => ({ before: task.states[lane], pending: undefined, done: 0 })
  const lives = { a: life('a'), b: life('b'), c: life('c') }
  for (const line of lines) {
    const lane = lives[line[0] as Lane]
    if (line[1] !== ' ') continue
    const said = line.slice(2)
    if (said !== 'done') lane.pending = JSON.parse(said)
    else {
      lane.before = after(lane.before, lane.pending!)
      lane.pending = undefined
      lane.done++
    }
  }
  return lives
}

function outputOf(child: ChildProcess) {
  let [stdout, stderr] = ['', '']
  let isReady = () => {}
  const readiness = new Promise<void>(resolve => {
    isReady = resolve
  })
  child.stdout!.on('data', chunk => {
    stdout += chunk
    isReady()
  })
  child.stderr!.on('data', chunk => {
    stderr += chunk
  })
  const ended = new Promise<{ signal: string | null; lines: string[]; stderr: string }>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_, signal) => {
      isReady()
      // What was cut off in the middle was not said.
      resolve({ signal, stderr, lines: stdout.split('\n').slice(0, -1) })
    })
  })
  return { ready: readiness, ended }
}

function laneOf(state: State, lane: Lane): State {
  return Object.fromEntries(Object.entries(state).filter(([key]) => key.startsWith(`${lane}/`)))
}

function sameState(one: State, other: State): boolean {
  const keys = Object.keys(one)
  return keys.length === Object.keys(other).length && keys.every(key => one[key] === other[key])
}
