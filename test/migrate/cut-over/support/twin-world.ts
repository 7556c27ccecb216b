import { monotonicFactory } from 'ulid'
import { memory } from '../../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../../src/core/provider.ts'
import { type CutOver, cutOver } from '../../../../src/migrate/cut-over/cut-over.ts'
import type { CutOverPhase } from '../../../../src/migrate/cut-over/phase.ts'
import { type RecordedFiles, withRecords } from '../../../../src/records/index.ts'
import type { Engine } from '../../../../src/sql/engine.ts'
import { sqlite } from '../../../../src/sql/sqlite/index.ts'
import { randomOf } from '../../../records/support/random.ts'
import { simulatedEngine, simulatedProvider } from '../../../records/support/simulated-calls.ts'
import { Simulation } from '../../../records/support/simulation.ts'
import { putInPhase } from '../../../support/cut-over-in-phase.ts'

export interface TwinClient {
  readonly files: RecordedFiles
  readonly store: CutOver
}

const NEVER = 10 ** 12

/** Two stores, one database, one time, and any number of processes that use them through a cut-over. */
export class TwinWorld {
  readonly simulation = new Simulation()
  readonly from: StorageProvider
  readonly to: StorageProvider
  readonly engine: Engine
  readonly #seed: string
  /** Objects of the source without a record, by key below the root: there only where the records adopt what they meet. */
  readonly planted: Readonly<Record<string, string>>
  #clients = 0

  constructor(seed = '', planted: Readonly<Record<string, string>> = {}) {
    const { now } = this.simulation.clock
    const signing = { secret: 'a secret of the tests' }
    this.#seed = seed
    this.planted = planted
    this.from = memory({ now, signing: { ...signing, baseUrl: 'http://from.test' } })
    this.to = memory({ now, signing: { ...signing, baseUrl: 'http://to.test' } })
    this.engine = sqlite({ path: ':memory:', now })
  }

  /** A process of its own, that makes its calls through gates. It keeps the phase that it begins with, unless it `beats`. */
  client(name: string, { beats = false }: { beats?: boolean } = {}): TwinClient {
    const { simulation, engine } = this
    const { now, monotonic } = simulation.clock
    const random = randomOf(`${this.#seed} ${name} ${this.#clients++}`)
    const id = monotonicFactory(random)
    const common = {
      now,
      monotonic,
      random,
      wait: simulation.clock.waitOf(name),
      newId: () => id(now()).toLowerCase(),
      owner: name,
    }
    const gated = simulatedEngine(simulation, name, engine)
    const store = cutOver({
      from: simulatedProvider(simulation, name, this.from),
      to: simulatedProvider(simulation, name, this.to),
      engine: gated,
      leaseMs: beats ? 30_000 : NEVER,
      beatMs: beats ? 10_000 : NEVER,
      secondMs: 60_000,
      ...common,
    })
    const adoptMet = Object.keys(this.planted).length > 0
    return { store, files: withRecords(store, gated, { env: {}, adoptMet, replaceGraceMs: 0, ...common }) }
  }

  async plant(): Promise<void> {
    for (const [key, text] of Object.entries(this.planted))
      await this.from.upload(`default/${key}`, text, { contentType: 'text/plain' })
  }

  /** Begins the cut-over, and puts it into a phase. */
  async begin(phase: CutOverPhase): Promise<void> {
    const { store } = this.client('beginner')
    await this.simulation.run(store.status())
    await putInPhase(this.engine, 'default', phase)
  }

  /** Copies to the destination what only the source has, when no other process works any more. */
  async fill(): Promise<void> {
    await this.engine.batch([['DELETE FROM stowage_cut_over_processes']])
    await this.begin('backfill')
    await this.engine.batch([['DELETE FROM stowage_cut_over_processes']])
    await this.simulation.run(this.client('filler').store.backfill())
    await this.engine.batch([['DELETE FROM stowage_cut_over_processes']])
  }
}
