import { monotonicFactory } from 'ulid'
import { memory } from '../../../src/adapters/memory.ts'
import type { Invalidator } from '../../../src/core/invalidator.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { type RecordedFiles, type RecordsOptions, withRecords } from '../../../src/records/index.ts'
import type { Engine } from '../../../src/sql/engine.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { randomOf } from './random.ts'
import { simulatedEngine, simulatedInvalidator, simulatedProvider } from './simulated-calls.ts'
import { Simulation } from './simulation.ts'

export interface WorldOptions {
  records?: Omit<RecordsOptions, 'cdn'>
  /** Whether a CDN is told. */
  cdn?: boolean
  capabilities?: Partial<StorageProvider['capabilities']>
  /** Ids and chance differ with it. */
  seed?: string
  /** One that other worlds have used, with its tables emptied. */
  engine?: Engine
}

/** One store, one database, one time, and any number of clients of them. */
export class World {
  readonly simulation = new Simulation()
  readonly provider: StorageProvider
  readonly engine: Engine
  /** Keys of which the CDN was told. */
  readonly told: string[] = []
  /** What one part of a test leaves for another. */
  readonly notes = new Map<string, string>()
  readonly #options: WorldOptions
  #clients = 0

  constructor(options: WorldOptions = {}) {
    const { now } = this.simulation.clock
    this.#options = options
    this.provider = memory({
      now,
      signing: { baseUrl: 'http://files.test', secret: 'a secret of the tests' },
    })
    this.engine = options.engine ?? sqlite({ path: ':memory:', now })
  }

  /** A process of its own, that makes its calls through gates. */
  client(name = `client${this.#clients}`): RecordedFiles {
    const { simulation, provider, engine, told } = this
    const { capabilities, cdn = false, records = {}, seed = '' } = this.#options
    const { now, monotonic } = simulation.clock
    const random = randomOf(`${seed} ${name} ${this.#clients++}`)
    const id = monotonicFactory(random)
    const invalidator: Invalidator = {
      name: 'cdn',
      async invalidate(targets) {
        told.push(...targets.map(target => target.key))
        return targets.map(() => ({ ok: true }))
      },
      async close() {},
    }
    return withRecords(
      simulatedProvider(simulation, name, provider, capabilities),
      simulatedEngine(simulation, name, engine),
      {
        env: {},
        now,
        monotonic,
        random,
        wait: simulation.clock.waitOf(name),
        newId: () => id(now()).toLowerCase(),
        owner: name,
        ...records,
        ...(cdn ? { cdn: { invalidator: simulatedInvalidator(simulation, name, invalidator) } } : {}),
      },
    )
  }
}
