/** Races of equals, made certain: rivals meet between check and commit instead of by luck. */
import { type Scene, times } from './scene.ts'
import type { Stage } from './stage.ts'

const TEXT = { 'content-type': 'text/plain' }

const sorted = (values: number[]) => [...values].sort((a, b) => a - b)

/** Holds every write back between its check and its commit until this many have come. */
function meetBeforeCommit(stage: Stage, count: number): void {
  let waiting = 0
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  stage.server.faults.beforeCommit = async () => {
    waiting += 1
    if (waiting >= count) open()
    await opened
  }
}

const race =
  (key: string, racers: number, late: number, headers: Record<string, string>): Scene =>
  async stage => {
    const upload = (index: number) =>
      stage.ask('POST', `/object/cb-priv/race/${key}`, Buffer.alloc(200_000, `racer${index}`), {
        ...TEXT,
        ...headers,
      })
    meetBeforeCommit(stage, racers)
    const answers = await times(racers, upload)
    stage.server.faults.beforeCommit = undefined
    for (let index = 0; index < late; index += 1) answers.push(await upload(racers + index))
    const { body } = await stage.ask('GET', `/object/cb-priv/race/${key}`)
    return {
      statuses: answers.map(answer => answer.status),
      bodies: answers.map(answer => answer.body),
      // Who is last is anyone's guess; that it is one of them, whole, is not.
      finalBodyStartsWith: /^(racer\d)\1+ra$/.exec(body)?.[1],
      winners: answers.filter(answer => answer.status === 200).length,
      distinctIds: new Set(answers.flatMap(answer => answer.body.Id ?? [])).size,
    }
  }

const movesOntoOne: Scene = async (stage, { name }) => {
  const target = `onto-${name}`
  await times(6, index =>
    stage.ask('POST', `/object/cb-priv/race/${target}-${index}`, `writer${index}`, TEXT),
  )
  const keys = (index: number) => ({
    bucketId: 'cb-priv',
    sourceKey: `race/${target}-${index}`,
    destinationKey: `race/${target}`,
  })
  const moves = await times(6, index => stage.ask('POST', '/object/move', keys(index)))
  const final = await stage.ask('GET', `/object/cb-priv/race/${target}`)
  const sources = await times(6, index => stage.ask('GET', `/object/cb-priv/race/${target}-${index}`))
  const errors = moves.filter(move => move.status !== 200).map(move => JSON.stringify(move.body))
  return {
    statuses: moves.map(move => move.status),
    errors: [...new Set(errors)],
    final: [final.status, final.body],
    sourcesReadable: sources.map(source => source.status),
  }
}

const claimRound = async (stage: Stage, round: number) => {
  await stage.ask('POST', `/object/cb-priv/race/claim${round}`, 'claim', TEXT)
  const key = (index: number) => `race/claim${round}-${index}`
  const moves = await times(3, index =>
    stage.ask('POST', '/object/move', {
      bucketId: 'cb-priv',
      sourceKey: `race/claim${round}`,
      destinationKey: key(index),
    }),
  )
  const reads = await times(3, index => stage.ask('GET', `/object/cb-priv/${key(index)}`))
  return {
    statuses: moves.map(move => move.status),
    errs: moves.filter(move => move.status !== 200).map(move => move.body),
    readable: reads.map(read => read.status),
  }
}

/** The delete runs while the move stands between its check and its commit. */
const deleteRound = async (stage: Stage, round: number) => {
  const key = `race/gone${round}`
  await stage.ask('POST', `/object/cb-priv/${key}`, 'gone', TEXT)
  let release = () => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const held = new Promise<void>(resolve => {
    stage.server.faults.beforeCommit = () => {
      resolve()
      return released
    }
  })
  const keys = { bucketId: 'cb-priv', sourceKey: key, destinationKey: `${key}-moved` }
  const moving = stage.ask('POST', '/object/move', keys)
  await held
  const deleted = await stage.ask('DELETE', '/object/cb-priv', { prefixes: [key] })
  release()
  const move = await moving
  stage.server.faults.beforeCommit = undefined
  const read = await stage.ask('GET', `/object/cb-priv/${key}-moved`)
  return { move: move.status, moveBody: move.body, deleted: deleted.body.length, destReadable: read.status }
}

export const RACE_SCENES: Record<string, Scene> = {
  'race.noupsert.0': race('n0', 8, 0, {}),
  'race.noupsert.1': race('n1', 8, 0, {}),
  'race.noupsert.2': race('n2', 7, 1, {}),
  'race.upsert.0': race('u0', 8, 0, { 'x-upsert': 'true' }),
  'race.upsert.1': race('u1', 8, 0, { 'x-upsert': 'true' }),
  'race.move-to-same-dest.0': movesOntoOne,
  'race.move-to-same-dest.3': movesOntoOne,
  'race.move-claim': (stage, { response }) =>
    times((response as unknown[]).length, round => claimRound(stage, round)),
  'race.move-vs-delete': async (stage, { response }) => {
    const rounds: unknown[] = []
    for (const _ of response as unknown[]) rounds.push(await deleteRound(stage, rounds.length))
    return rounds
  },
  'race.copy-to-same-dest.0': async stage => {
    await stage.ask('POST', '/object/cb-priv/race/copied', 'copied', TEXT)
    meetBeforeCommit(stage, 6)
    const keys = { bucketId: 'cb-priv', sourceKey: 'race/copied', destinationKey: 'race/copy' }
    const copies = await times(6, () => stage.ask('POST', '/object/copy', keys))
    stage.server.faults.beforeCommit = undefined
    return { statuses: copies.map(copy => copy.status) }
  },
  'race.delete-batch': async stage => {
    await stage.ask('POST', '/object/cb-priv/race/batch', 'x', TEXT)
    const answers = await times(6, () => stage.ask('DELETE', '/object/cb-priv', { prefixes: ['race/batch'] }))
    return {
      statuses: answers.map(answer => answer.status),
      lengths: answers.map(answer => answer.body.length),
    }
  },
}

/** Which of several equal rivals won is not told alike twice: order is taken out before the comparison. */
export function withoutOrder(name: string, told: unknown): unknown {
  if (Array.isArray(told) && name.startsWith('race.')) return told.map(item => withoutOrder(name, item))
  if (!name.startsWith('race.')) return told
  const scene: Record<string, unknown> = { ...(told as Record<string, unknown>) }
  for (const field of ['statuses', 'lengths', 'readable', 'sourcesReadable'])
    if (Array.isArray(scene[field])) scene[field] = sorted(scene[field])
  if (typeof scene.finalBodyStartsWith === 'string')
    scene.finalBodyStartsWith = scene.finalBodyStartsWith.replace(/\d/, '#')
  if (Array.isArray(scene.final)) scene.final = [scene.final[0], String(scene.final[1]).replace(/\d/, '#')]
  return scene
}
