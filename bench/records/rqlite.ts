/** Three nodes of rqlite on loopback against bare SQLite, and reads against the least that a client does. */
import { join } from 'node:path'
import { rqlite } from '../../dist/rqlite.js'
import { type RqliteCluster, startRqlite } from '../../test/support/rqlite.ts'
import { findTool, missingTool } from '../../test/support/tools.ts'
import { race, type Scale, type Section } from '../section.ts'
import { entrant } from './entrant.ts'
import { createNotes, insertNoteStatement } from './note.ts'
import type { SqliteLibrary } from './sqlite-library.ts'

const WRITERS = 64
const READERS = 16
const ROWS = 1_000

/** A sentence where there is no real cluster: the stand-in's speed says nothing. `--quick` tries the bench on it. */
export async function benchRqlite(
  library: SqliteLibrary,
  folder: string,
  scale: Scale,
): Promise<Section[] | { missing: string }> {
  if (findTool('rqlited') === undefined && !scale.quick) return { missing: missingTool('rqlited') }
  const cluster = await startRqlite()
  try {
    return [await benchWrites(cluster, library, folder, scale), await benchReads(cluster, scale)]
  } finally {
    await cluster.stop()
  }
}

async function benchWrites(
  cluster: RqliteCluster,
  library: SqliteLibrary,
  folder: string,
  scale: Scale,
): Promise<Section> {
  const urls = cluster.nodes.map(node => node.url)
  const url = await leaderUrl(cluster)
  const bare = `bare ${library}, 1 client`
  const http = `bare HTTP, ${WRITERS} at once`
  const [plain, ids] = [`stowage, ${WRITERS} at once`, `stowage with ids, ${WRITERS} at once`]
  const common = { urls, work: 'write', atOnce: WRITERS }
  const { rates, ratio } = await race(
    [
      entrant(bare, 'sqlite-bare', { library, path: join(folder, 'beside-rqlite.db') }),
      entrant(plain, 'rqlite-engine', { ...common, table: 'plain' }),
      entrant(ids, 'rqlite-engine', { ...common, table: 'with_ids', ids: true }),
      entrant(http, 'rqlite-bare', { url, work: 'write', atOnce: WRITERS, table: 'by_http' }),
    ],
    scale,
  )
  return {
    title: `Writes on rqlite (${cluster.kind}), three nodes`,
    how:
      `${WRITERS} callers, each awaiting engine.batch of one INSERT before its next. Bare SQLite: one client, one prepared INSERT a transaction, ` +
      'WAL, synchronous=FULL, on the disk that the nodes use. Bare HTTP: one POST to /db/execute of the leader per row over node:http with keep-alive. ' +
      'All nodes and the client share this machine.',
    rates,
    bars: [
      ...ratio(`${WRITERS} single writes at once on rqlite ÷ bare ${library} at one client`, plain, bare, {
        atLeast: 1,
      }),
      ...ratio(`the same with an id each ÷ bare ${library} at one client`, ids, bare, { atLeast: 1 }),
      ...ratio(`${WRITERS} single writes at once on rqlite ÷ bare HTTP`, plain, http),
    ],
  }
}

async function benchReads(cluster: RqliteCluster, scale: Scale): Promise<Section> {
  const urls = cluster.nodes.map(node => node.url)
  const url = await leaderUrl(cluster)
  const table = 'to_read'
  const engine = rqlite({ url: urls })
  await engine.batch([[createNotes(engine.types, table)]])
  await engine.batch(Array.from({ length: ROWS }, (_, index) => insertNoteStatement(index, table)))
  await engine.close()
  await cluster.settle()
  const common = { work: 'read', atOnce: READERS, table, rows: ROWS }
  const { rates, ratio } = await race(
    [
      entrant('bare HTTP, weak', 'rqlite-bare', { ...common, url, level: 'weak' }),
      entrant('stowage, session', 'rqlite-engine', { ...common, urls, consistency: 'session' }),
      entrant('bare HTTP, none', 'rqlite-bare', { ...common, url: urls[0], level: 'none' }),
      entrant('stowage, stale', 'rqlite-engine', { ...common, urls, consistency: 'stale' }),
    ],
    scale,
  )
  return {
    title: `Reads on rqlite (${cluster.kind}), three nodes, ${READERS} at once`,
    how:
      `SELECT * of one row of ${ROWS} by its primary key. Bare: node:http with keep-alive and JSON.parse, asking the leader (weak) or the first node (none). ` +
      'stowage: engine.query, which gives every value with its exact type.',
    rates,
    bars: [
      ...ratio('reads (session) ÷ bare keep-alive client (weak)', 'stowage, session', 'bare HTTP, weak', {
        atLeast: 0.9,
      }),
      ...ratio('reads (stale) ÷ bare keep-alive client (none)', 'stowage, stale', 'bare HTTP, none'),
    ],
  }
}

async function leaderUrl(cluster: RqliteCluster): Promise<string> {
  const leader = await cluster.leader()
  if (leader === undefined) throw new Error('no node of the cluster leads')
  return leader.url
}
