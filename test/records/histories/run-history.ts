import type { RecordedFiles } from '../../../src/records/index.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { recoverAll } from '../crash/recover-all.ts'
import { endProblems, takeInventory } from '../support/inventory.ts'
import { randomOf } from '../support/random.ts'
import type { Gate, Step } from '../support/simulation.ts'
import { turn } from '../support/simulation.ts'
import { World } from '../support/world.ts'
import type { History } from './history.ts'
import type { HistoryLog, LogEntry, Snapshot } from './history-log.ts'
import { perform } from './perform-operation.ts'

/** More effects than any history needs. */
const MOST_EFFECTS = 20_000
const ALARMS = new Set(['bytes-missing', 'bytes-differ', 'still-referred'])

/** A history while it runs. */
export async function runHistory(history: History, engine: Engine): Promise<HistoryLog> {
  return new Run(history, engine).run()
}

/** A call that waits, and what has been decided about it. */
interface Decision {
  readonly name: string
  readonly order: number
  step: Step
  /** Held back, for longer than a lease lasts. */
  held: boolean
}

class Run {
  readonly #history: History
  readonly #world: World
  readonly #log: HistoryLog = { entries: [], snapshots: [], faults: [], problems: [] }
  readonly #decisions = new WeakMap<Gate, Decision>()
  /** What the client is at, by its name. */
  readonly #at = new Map<string, { slot: number; operation: number; calls: number; entry?: LogEntry }>()
  readonly #landing: Gate[] = []
  readonly #calm: ReadonlySet<string>
  #effects = 0
  #left = 0

  constructor(history: History, engine: Engine) {
    this.#history = history
    this.#calm = new Set(history.calm)
    const { replaceGraceMs, restoreMs, createOnly, seed } = history
    this.#world = new World({
      engine,
      seed,
      capabilities: { createOnly },
      records: {
        replaceGraceMs,
        restoreMs,
        onEvent: event => {
          if (ALARMS.has(event.kind)) this.#log.problems.push(`alarm: ${JSON.stringify(event)}`)
        },
      },
    })
  }

  async run(): Promise<HistoryLog> {
    const { simulation } = this.#world
    const clients = this.#history.clients.map((_, slot) => this.#client(slot, 0))
    // Tables and tenant are there before anything fails.
    for (const { files } of clients) await simulation.run(files.exists('x'))
    await this.#snapshot()
    simulation.afterEffect = gate => (gate.call === 'engine.batch' ? this.#snapshot() : undefined)
    for (const [slot, { name, files }] of clients.entries()) this.#begin(slot, name, files, 0)
    await this.#schedule()
    await this.#end()
    return this.#log
  }

  #client(slot: number, life: number): { name: string; files: RecordedFiles } {
    const name = `client${slot}.${life}`
    return { name, files: this.#world.client(name) }
  }

  /** A client does what is left of its list, from the operation with this index on. */
  #begin(slot: number, name: string, files: RecordedFiles, from: number): void {
    this.#left++
    const operations = this.#history.clients[slot]!
    void (async () => {
      for (let index = from; index < operations.length; index++) {
        const operation = operations[index]!
        const brings = operation.do === 'upload' || operation.do === 'finalize'
        const entry: LogEntry = {
          client: name,
          operation,
          text: brings ? `${slot}.${index} of ${this.#history.seed}` : undefined,
          invoked: this.#effects,
          returned: Number.POSITIVE_INFINITY,
          outcome: { status: 'running' },
        }
        this.#log.entries.push(entry)
        this.#at.set(name, { slot, operation: index, calls: 0, entry })
        try {
          entry.outcome = { status: 'done', value: await perform(this.#world, files, name, entry) }
        } catch (error) {
          const { code = 'none', message } = error as { code?: string; message: string }
          entry.outcome = { status: 'failed', code, message }
        }
        entry.returned = this.#effects
      }
      this.#left--
    })()
  }

  async #schedule(): Promise<void> {
    const { simulation } = this.#world
    for (let idle = 0; this.#left > 0; ) {
      await turn()
      for (const gate of simulation.waiting) if (!this.#decisions.has(gate)) this.#decide(gate)
      const next = this.#next()
      if (this.#landing.length > 0) await this.#land(this.#landing.shift()!)
      else if (next !== undefined) await this.#take(next)
      else if (++idle > 2) {
        idle = 0
        if (!simulation.clock.skip()) throw new Error('nobody does anything and nobody waits for anything')
      } else continue
      idle = 0
      if (this.#effects > MOST_EFFECTS) throw new Error('the history does not end')
    }
  }

  /** The first of those that may go on, in the order that the seed gives them. */
  #next(): Gate | undefined {
    let first: Gate | undefined
    let least = Number.POSITIVE_INFINITY
    for (const gate of this.#world.simulation.waiting) {
      const { order, held } = this.#decisions.get(gate)!
      if (held || order >= least) continue
      least = order
      first = gate
    }
    return first
  }

  #decide(gate: Gate): void {
    const at = this.#at.get(gate.client)!
    const name = `${at.slot}/${at.operation}/${at.calls++}`
    const random = randomOf(`${this.#history.seed} ${gate.client} ${name}`)
    const decision: Decision = { name, order: random(), step: 'pass', held: false }
    this.#decisions.set(gate, decision)
    const { faults } = this.#history
    if (gate.call === 'clock.advance' || faults === 0 || random() * faults >= 1 || this.#calm.has(name))
      return
    this.#log.faults.push(name)
    const steps = stepsFor(gate)
    const step = steps[Math.floor(random() * steps.length)]!
    if (step !== 'hold') decision.step = step
    else {
      decision.held = true
      void this.#world.simulation.clock
        .waitOf(gate.client)(40_000)
        .then(() => {
          decision.held = false
        })
    }
  }

  async #take(gate: Gate): Promise<void> {
    const { simulation } = this.#world
    const { step, name } = this.#decisions.get(gate)!
    this.#effects++
    await simulation.take(gate, step)
    if (step === 'late' || step === 'crash-late') this.#landLater(gate, name)
    if (!step.startsWith('crash-')) return
    // The process is started again, and goes on with the next thing.
    const { slot, operation } = this.#at.get(gate.client)!
    this.#left--
    const life = Number(gate.client.split('.')[1]) + 1
    const { name: next, files } = this.#client(slot, life)
    this.#at.set(next, { slot, operation: operation + 1, calls: 0 })
    this.#begin(slot, next, files, operation + 1)
  }

  #landLater(gate: Gate, name: string): void {
    const delays = [0, 10_000, 50_000, 600_000]
    const delay = delays[Math.floor(randomOf(`${this.#history.seed} landing ${name}`)() * delays.length)]!
    void this.#world.simulation.clock
      .waitOf('the network')(delay)
      .then(() => this.#landing.push(gate))
  }

  async #land(gate: Gate): Promise<void> {
    this.#effects++
    await this.#world.simulation.land(gate)
  }

  async #snapshot(): Promise<void> {
    const { engine } = this.#world
    const [files, rows] = await Promise.all([
      engine.query(['SELECT key, generation, state, operation, checksum_value FROM t_default__files']),
      engine.query(['SELECT key FROM app']),
    ])
    const live: [string, { generation: string; checksum: string }][] = []
    const hidden: [string, string][] = []
    for (const row of files)
      if (row.state === 'live')
        live.push([
          String(row.key),
          { generation: String(row.generation), checksum: String(row.checksum_value) },
        ])
      else hidden.push([String(row.key), String(row.operation)])
    const snapshot: Snapshot = {
      at: this.#effects,
      live: new Map(live),
      hidden: new Map(hidden),
      rows: new Set(rows.map(row => String(row.key))),
    }
    this.#log.snapshots.push(snapshot)
  }

  /** Nothing fails any more; everything that is owed is done. */
  async #end(): Promise<void> {
    const { problems } = this.#log
    const { provider, engine, simulation } = this.#world
    this.#effects++
    for (const name of this.#at.keys()) simulation.crash(name)
    await recoverAll(this.#world, problems, {
      afterRecovery: true,
      look: async () => {
        this.#effects++
      },
    })
    problems.push(...endProblems(await takeInventory(provider, engine)))
  }
}

/** What may happen at a call. Some stand twice: they are what finds most. */
function stepsFor(gate: Gate): (Step | 'hold')[] {
  const isStore = gate.call.startsWith('provider.')
  return [
    'fail',
    'hold',
    'hold',
    'crash-before',
    'crash-after',
    ...(gate.writes ? (['lose', 'late', 'twice', 'twice-last', 'crash-twice', 'crash-late'] as const) : []),
    ...(gate.hasId ? (['resolve'] as const) : []),
    ...(isStore && gate.failures.refused !== undefined ? (['refuse'] as const) : []),
  ]
}
