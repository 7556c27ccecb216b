import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type RqliteCluster, startRqlite } from '../../support/rqlite.ts'
import { findTool } from '../../support/tools.ts'
import { runKills } from './kills.ts'

/** The stand-in runs in this process and shows that the test works; what rqlite does, only rqlite shows. */
const isReal = findTool('rqlited') !== undefined
const kills = isReal ? 60 : 12

/** Every third time the leader dies, every third time it stands still, while the process works. */
async function troubleLeader(cluster: RqliteCluster, kill: number): Promise<void> {
  const leader = await cluster.leader()
  if (leader === undefined || kill % 3 === 0) return
  const [hit, end] = kill % 3 === 1 ? (['kill', 'restart'] as const) : (['pause', 'resume'] as const)
  await wait(50)
  await cluster[hit](leader)
  await wait(200)
  await cluster[end](leader)
  await cluster.settle()
}

describe(`kills on ${isReal ? 'rqlite' : 'the stand-in of rqlite'}`, () => {
  test(`lose nothing, ${kills} times, with local files`, { timeout: 600_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stowage-kills-'))
    const cluster = await startRqlite()
    try {
      const addresses = cluster.nodes.map(node => new URL(node.url).host)
      const report = await runKills({
        store: `file:${folder}`,
        records: `rqlite://${addresses.join(',')}`,
        seed: 'local-rqlite',
        kills,
        // The stand-in shares its process, and its processor, with the test: a step takes longer there.
        ...(isReal ? {} : { mostWorkMs: 1500 }),
        // The stand-in's nodes elect no leader by themselves.
        ...(isReal ? { beside: kill => troubleLeader(cluster, kill) } : {}),
      })
      console.log(`kills, local files and rqlite (${cluster.kind}):`, JSON.stringify(report))
      expect(report.done).toBeGreaterThan(0)
      expect(report.interrupted).toBeGreaterThan(report.kills)
    } finally {
      await cluster.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
