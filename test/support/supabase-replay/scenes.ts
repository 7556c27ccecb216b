/** Recordings of several requests at once, or of another client: each is acted again and told in the same form. */
import { Upload } from 'tus-js-client'
import { playWire } from './play-wire.ts'
import { isWire, type Recording } from './recordings.ts'
import type { Answered, Stage } from './stage.ts'

type Scene = (stage: Stage, recording: Recording) => Promise<unknown>

const TEXT = { 'content-type': 'text/plain' }
const RIVALS = [0, 1, 2, 3, 4, 5]

const sorted = (values: number[]) => [...values].sort((a, b) => a - b)
const times = <T>(count: number, act: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)))

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
      finalBodyStartsWith: /^(racer\d)/.exec(body)?.[1],
      winners: answers.filter(answer => answer.status === 200).length,
      distinctIds: new Set(answers.flatMap(answer => answer.body.Id ?? [])).size,
    }
  }

const movesOntoOne: Scene = async stage => {
  const target = `claimed-${Math.random().toString(36).slice(2)}`
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

const deleteRound = async (stage: Stage, round: number) => {
  const key = `race/gone${round}`
  await stage.ask('POST', `/object/cb-priv/${key}`, 'gone', TEXT)
  const [deleted, move] = await Promise.all([
    stage.ask('DELETE', '/object/cb-priv', { prefixes: [key] }),
    stage.ask('POST', '/object/move', {
      bucketId: 'cb-priv',
      sourceKey: key,
      destinationKey: `${key}-moved`,
    }),
  ])
  const read = await stage.ask('GET', `/object/cb-priv/${key}-moved`)
  return { move: move.status, moveBody: move.body, deleted: deleted.body.length, destReadable: read.status }
}

const createTus = (stage: Stage, key: string, length: number) => {
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  const metadata = `bucketName ${encoded('cb-priv')},objectName ${encoded(key)},contentType ${encoded('text/plain')}`
  const headers = { 'tus-resumable': '1.0.0', 'upload-length': String(length), 'upload-metadata': metadata }
  return stage.ask('POST', '/upload/resumable', undefined, headers)
}

const patchTus = (stage: Stage, created: Answered, bytes: Buffer) =>
  stage.ask('PATCH', new URL(created.headers.location ?? '').pathname.slice('/storage/v1'.length), bytes, {
    'tus-resumable': '1.0.0',
    'upload-offset': '0',
    'content-type': 'application/offset+octet-stream',
  })

const short = ({ status, body }: Answered) => ({ status, body })

export const SCENES: Record<string, Scene> = {
  'race.noupsert.0': race('n0', 8, 0, {}),
  'race.noupsert.1': race('n1', 8, 0, {}),
  'race.noupsert.2': race('n2', 7, 1, {}),
  'race.upsert.0': race('u0', 8, 0, { 'x-upsert': 'true' }),
  'race.upsert.1': race('u1', 8, 0, { 'x-upsert': 'true' }),
  'race.move-to-same-dest.0': movesOntoOne,
  'race.move-to-same-dest.3': movesOntoOne,
  'race.move-claim': (stage, { response }) =>
    times((response as unknown[]).length, round => claimRound(stage, round)),
  'race.move-vs-delete': (stage, { response }) =>
    times((response as unknown[]).length, round => deleteRound(stage, round)),
  'race.copy-to-same-dest.0': async stage => {
    await stage.ask('POST', '/object/cb-priv/race/copied', 'copied', TEXT)
    meetBeforeCommit(stage, 6)
    const keys = { bucketId: 'cb-priv', sourceKey: 'race/copied', destinationKey: 'race/copy' }
    // The copies meet before their commit; the upload above came before the doors were closed.
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
  'keys.stored-names': async stage => {
    const { body } = await stage.ask('POST', '/object/list-v2/cb-keys', { prefix: '', limit: 1000 })
    const names: string[] = body.objects.map((object: { name: string }) => object.name)
    return { body: names.map(name => (name.length > 200 ? `<${name.length} chars>` : name)) }
  },
  'life.identity': async stage => {
    const info = async () => (await stage.ask('GET', '/object/info/cb-priv/life/b.txt')).body
    const before = await info()
    await stage.ask('POST', '/object/cb-priv/life/b.txt', 'v3', { ...TEXT, 'x-upsert': 'true' })
    return { before, after: await info() }
  },
  'tus.create.parallel': async stage =>
    (await times(3, () => createTus(stage, 'tus/parallel.txt', 5))).map(short),
  'tus.two-creates-same-key': async stage => {
    const first = await createTus(stage, 'tus/twice.txt', 5)
    const second = await createTus(stage, 'tus/twice.txt', 5)
    const bytes = Buffer.from('hello')
    return [await patchTus(stage, first, bytes), await patchTus(stage, second, bytes)].map(short)
  },
  'tus.patch.concurrent': async stage => {
    const created = await createTus(stage, 'tus/concurrent.bin', 7_340_032)
    const answers = await times(2, () => patchTus(stage, created, Buffer.alloc(7_340_032)))
    return answers
      .sort((a, b) => a.status - b.status)
      .map(answer => {
        const offset = answer.headers['upload-offset']
        return { ...short(answer), ...(offset === undefined ? {} : { offset }) }
      })
  },
  'tusjs.upload': async stage => {
    const requests: [string, number, string | undefined][] = []
    await new Promise<void>((resolve, reject) => {
      new Upload(Buffer.alloc(900_000), {
        endpoint: `${stage.url}/storage/v1/upload/resumable`,
        headers: stage.serviceHeaders,
        chunkSize: 6 * 1024 * 1024,
        uploadDataDuringCreation: true,
        metadata: {
          bucketName: 'cb-priv',
          objectName: 'tus/js.bin',
          contentType: 'application/octet-stream',
        },
        onAfterResponse: (request, response) =>
          void requests.push([
            request.getMethod(),
            response.getStatus(),
            response.getHeader('upload-offset'),
          ]),
        onError: reject,
        onSuccess: () => resolve(),
      }).start()
    })
    return requests
  },
  'fault.rowlock.delete-waits': async (stage, recording) => {
    if (!isWire(recording.request)) throw new Error('the recording names no request')
    let release = () => {}
    const lock = new Promise<'released'>(resolve => {
      release = () => resolve('released')
    })
    stage.server.faults.lockedRows.set('cd-priv/lock.txt', lock)
    let settled = false
    const answer = playWire(stage, recording, recording.request).finally(() => {
      settled = true
    })
    // Any other request goes through while the row is held, and by then the DELETE has arrived.
    for (const _ of RIVALS) await stage.ask('GET', '/status')
    if (settled) throw new Error('the DELETE did not wait for the row')
    release()
    return answer
  },
  'fault.db-saturated': stage => stage.ask('POST', '/object/list/cd-priv', { prefix: '' }),
}

/** Which of several equal rivals won is not told alike twice: order is taken out before the comparison. */
export function withoutOrder(name: string, told: unknown): unknown {
  if (Array.isArray(told) && name.startsWith('race.')) return told.map(item => withoutOrder(name, item))
  if (!name.startsWith('race.') && name !== 'keys.stored-names') return told
  const scene: Record<string, unknown> = { ...(told as Record<string, unknown>) }
  for (const field of ['statuses', 'lengths', 'readable', 'sourcesReadable'])
    if (Array.isArray(scene[field])) scene[field] = sorted(scene[field])
  if (name === 'keys.stored-names') scene.body = [...(scene.body as string[])].sort()
  if (typeof scene.finalBodyStartsWith === 'string')
    scene.finalBodyStartsWith = scene.finalBodyStartsWith.replace(/\d/, '#')
  if (Array.isArray(scene.final)) scene.final = [scene.final[0], String(scene.final[1]).replace(/\d/, '#')]
  return scene
}
