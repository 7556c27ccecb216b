/** The recordings that are more than one request, or that another client made. */
import { Upload } from 'tus-js-client'
import { playWire } from './play-wire.ts'
import { RACE_SCENES } from './race-scenes.ts'
import { isWire } from './recordings.ts'
import { type Scene, times } from './scene.ts'
import type { Answered, Stage } from './stage.ts'

const TEXT = { 'content-type': 'text/plain' }

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
  ...RACE_SCENES,
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
    for (let asked = 0; asked < 6; asked += 1) await stage.ask('GET', '/status')
    if (settled) throw new Error('the DELETE did not wait for the row')
    release()
    return answer
  },
  'fault.db-saturated': stage => stage.ask('POST', '/object/list/cd-priv', { prefix: '' }),
}
