/** What was done to the real cluster between two recordings without being recorded. */
import type { Stage } from './stage.ts'

type Step = (stage: Stage) => Promise<unknown> | undefined

const execute =
  (...statements: unknown[]): Step =>
  stage =>
    stage.ask('/db/execute', statements)

const node = ({ cluster }: Stage, index: number) => {
  const found = cluster.nodes[index - 1]
  if (!found) throw new Error(`there is no node ${index}`)
  return found
}

const lead =
  (index: number): Step =>
  stage => {
    stage.cluster.elect(node(stage, index))
    stage.cluster.settle()
    return undefined
  }

async function bringBack(stage: Stage): Promise<void> {
  stage.cluster.faults.elections = 'at-once'
  for (const index of [1, 3]) await stage.cluster.restart(node(stage, index))
  stage.cluster.settle()
}

/** By the name of the recording before which they happened. */
export const UNRECORDED_STEPS: Record<string, Step> = {
  'insert-batch-raft-index': execute('INSERT INTO t(id,i) VALUES(4,1)', 'INSERT INTO t(id,i) VALUES(5,1)'),
  'float-read': stage =>
    stage.ask('/db/execute', '[["INSERT INTO t(id,i,r,anyc,n) VALUES(71,?,?,?,?)",1e3,1.0,1.0,2.0]]'),
  'err-malformed-json': execute('UPDATE u SET v=v WHERE id=-1'),
  'tx-request-too-few-params': stage =>
    stage.ask('/db/request?transaction', [
      "INSERT INTO u(k,v) VALUES('t13',1)",
      'SELEC 1',
      "INSERT INTO u(k,v) VALUES('t14',1)",
    ]),
  'tx-create-table-then-use-in-one-execute': execute('CREATE TABLE crt(id)', 'INSERT INTO crt VALUES(1)'),
  'pragma-user-version-after': execute('PRAGMA user_version=5'),
  detach: execute("ATTACH DATABASE ':memory:' AS a2"),
  'returning-empty': execute("DELETE FROM u WHERE k='ret2' RETURNING id"),
  'backup-binary-follower': async stage => {
    stage.cluster.applyLate()
    // The one step that was not done to the real cluster: it spares the copies of 90 MB of free pages.
    await stage.ask('/db/execute', ['VACUUM'])
    stage.cluster.settle()
  },
  'load-sqlite-file': lead(2),
  'noquorum-query-none': async stage => {
    await stage.ask('/db/execute', [
      'CREATE TABLE fo(id INTEGER PRIMARY KEY, v)',
      ...Array(21).fill('INSERT INTO fo(v) VALUES(1)'),
    ])
    stage.cluster.elect(node(stage, 1))
    stage.cluster.settle()
    stage.cluster.faults.elections = 'leaderless'
    for (const index of [1, 3]) stage.cluster.kill(node(stage, index))
  },
  'minority-leader-weak-read': async stage => {
    await bringBack(stage)
    stage.cluster.elect(node(stage, 2))
    await stage.ask('/db/execute', ['INSERT INTO fo(v) VALUES(1)'])
    stage.cluster.faults.holdStepDown = true
    for (const index of [1, 3]) stage.cluster.kill(node(stage, index))
  },
  'minority-write-survived?': async stage => {
    await bringBack(stage)
    await lead(1)(stage)
  },
  'lock-acquire': async stage => {
    await lead(2)(stage)
    await stage.ask('/db/execute', ['CREATE TABLE locks(name TEXT PRIMARY KEY, owner TEXT, exp INTEGER)'])
  },
}
