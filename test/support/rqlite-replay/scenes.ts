/** The recordings that need a body that was recorded in short, a fault, or another request at the same time. */
import type { Recording } from './recordings.ts'
import type { Answer, Stage } from './stage.ts'

export type Scene = (stage: Stage, recording: Recording) => Promise<Answer>

/** `xxx…<10485795 chars>`: the value is that long. */
const withLongValue: Scene = async (stage, recording) => {
  const { start, length } = shortened(recording)
  const head = start.slice(0, start.indexOf('","') + 3)
  return stage.play(recording, `${head}${'x'.repeat(length - head.length - 3)}"]]`)
}

function shortened({ request }: Recording): { start: string; length: number } {
  const [, start = '', length] = /^(.*)\.\.\.<(\d+) chars>$/s.exec(request.body ?? '') ?? []
  return { start, length: Number(length) }
}

const slowStatement: Scene = async (stage, recording) => {
  const { faults } = stage.cluster
  faults.isSlow = sql => sql.includes('RECURSIVE')
  const answer = await stage.play(recording)
  faults.isSlow = undefined
  return answer
}

/** The leader is slower than the follower waits. */
const forwardedTooLate: Scene = async (stage, recording) => {
  const { faults } = stage.cluster
  faults.forwardedWrites = 'late'
  const answer = await stage.play(recording)
  faults.forwardedWrites = 'once'
  return answer
}

/** Both of them waited for the majority at the same time. */
let minorityWrite: Promise<Answer> | undefined

export const SCENES: Record<string, Scene> = {
  'err-32767-params': async (stage, recording) => {
    const sql = `SELECT ${Array(32_767).fill('?').join('+')}`
    const body = JSON.stringify([[sql, ...Array(32_767).fill(1)]])
    if (body.length !== shortened(recording).length) throw new Error('the recorded body was another one')
    return stage.play(recording, body)
  },
  'db-timeout': slowStatement,
  'db-timeout-query': slowStatement,
  'size-10MiB-param': withLongValue,
  'size-10MiB-on-follower': withLongValue,
  'size-50MiB-random': withLongValue,
  'timeout-1ms-follower': forwardedTooLate,
  'timeout-1us-follower': forwardedTooLate,
  'load-sqlite-file': async (stage, recording) => {
    const file = await fetch(`${stage.cluster.leader()?.url}/db/backup`)
    return stage.play(recording, Buffer.from(await file.arrayBuffer()))
  },
  'minority-leader-strong': async (stage, recording) => {
    const { cluster } = stage
    const [, node2] = cluster.nodes
    if (!node2) throw new Error('there is no second node')
    const read = stage.play(recording)
    minorityWrite = send(stage, recording, '/db/execute', '["INSERT INTO fo(v) VALUES(\'minority\')"]')
    while (cluster.waiting(node2) < 2) await new Promise(resolve => setImmediate(resolve))
    cluster.stepDown(node2)
    return read
  },
  'minority-leader-execute': async (stage, { request }) => {
    if (request.body !== '["INSERT INTO fo(v) VALUES(\'minority\')"]' || !minorityWrite)
      throw new Error('the scene before sent something else')
    stage.cluster.faults.holdStepDown = false
    return minorityWrite
  },
}

const send = (stage: Stage, recording: Recording, path: string, body: string) =>
  stage.play({ ...recording, request: { ...recording.request, path, body } })
