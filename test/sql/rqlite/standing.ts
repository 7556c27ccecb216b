/** A cluster that goes wrong when told to, and what the client under test has sent to it. */
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type RqliteEngine, type RqliteOptions, rqlite } from '../../../src/sql/rqlite/index.ts'
import { type RqliteCluster, type RqliteOptions as ServerOptions, startRqlite } from '../../support/rqlite.ts'
import { type Faults, type HeardRequest, noFaults } from '../../support/rqlite-server/faults.ts'

export interface Standing {
  readonly cluster: RqliteCluster
  readonly faults: Faults
  /** Requests since the test began, those of the nodes' own discovery left out. */
  readonly heard: HeardRequest[]
  /** A client of all nodes, closed after the test. Waits between tries take no time. */
  client(options?: Partial<RqliteOptions>): RqliteEngine
  table(): string
}

/** Declares a cluster of the stand-in for the tests of a file; each begins with three nodes that run, without faults. */
export function standing(options: ServerOptions = {}): Standing {
  let cluster: RqliteCluster
  const clients: RqliteEngine[] = []
  const heard: HeardRequest[] = []
  let tables = 0
  beforeAll(async () => {
    cluster = await startRqlite({ ...options, kind: 'stand-in' })
  })
  afterEach(async () => {
    Object.assign(faults(), { onRequest: undefined, isSlow: undefined, ...noFaults() })
    await Promise.all(clients.splice(0).map(client => client.close()))
    heard.length = 0
  })
  afterAll(() => cluster.stop())
  const faults = (): Faults => {
    if ('unavailable' in cluster.standIn) throw new Error(cluster.standIn.unavailable)
    return cluster.standIn.faults
  }
  return {
    get cluster() {
      return cluster
    },
    get faults() {
      return faults()
    },
    heard,
    client(own = {}) {
      faults().onRequest ??= request => {
        heard.push(request)
        return 'serve'
      }
      const engine = rqlite({
        url: cluster.nodes.map(node => node.url),
        wait: () => new Promise(resolve => setImmediate(resolve)),
        ...own,
      })
      clients.push(engine)
      return engine
    },
    table: () => `standing_${++tables}`,
  }
}

export const isExecute = ({ target }: HeardRequest) => target.startsWith('/db/execute')
export const isQuery = ({ target }: HeardRequest) => target.startsWith('/db/query')
