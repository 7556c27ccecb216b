/** What was done to the real server between two recordings without being recorded. */
import { type Stage, USER } from './stage.ts'

type Step = (stage: Stage) => Promise<void>

async function ok(stage: Stage, ...request: Parameters<Stage['ask']>) {
  const answer = await stage.ask(...request)
  if (answer.status >= 300)
    throw new Error(`${request[0]} ${request[1]}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer
}

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')

const put = (stage: Stage, path: string, body: string, headers: Record<string, string> = {}) =>
  ok(stage, 'POST', `/object/${path}`, body, { 'content-type': 'text/plain', ...headers })

const bucket = (stage: Stage, id: string, more: Record<string, unknown> = {}) =>
  ok(stage, 'POST', '/bucket', { id, name: id, ...more })

async function dropBucket(stage: Stage, id: string) {
  await ok(stage, 'POST', `/bucket/${id}/empty`)
  await ok(stage, 'DELETE', `/bucket/${id}`)
}

const SECOND_RUN: [string, Record<string, unknown>?][] = [
  ['cb-priv'],
  ['cb-dst'],
  ['cb-keys'],
  ['cb-pub', { public: true }],
  ['cb-lim', { file_size_limit: 1024, allowed_mime_types: ['text/plain'] }],
]
const THIRD_RUN: [string, Record<string, unknown>?][] = [
  [
    'cc-priv',
    { file_size_limit: 1_000_000, allowed_mime_types: ['text/plain', 'application/octet-stream', 'image/*'] },
  ],
  ['cc-pub', { public: true }],
]

const create = (bucketName: string, objectName: string, more: Record<string, string> = {}) => ({
  'tus-resumable': '1.0.0',
  'upload-length': '5',
  'upload-metadata': `bucketName ${base64(bucketName)},objectName ${base64(objectName)}`,
  ...more,
})

/** Starts a resumable upload and gives its id the name it has in the recordings. */
async function startUpload(stage: Stage, recordedId: string, headers: Record<string, string>) {
  const { headers: answered } = await ok(stage, 'POST', '/upload/resumable', undefined, headers)
  stage.volatile.bind(recordedId, answered.location?.split('/').at(-1) ?? '')
}

/** By the name of the recording before which they happened. */
export const UNRECORDED_STEPS: Record<string, Step> = {
  'bucket.create.private': async stage => {
    for (const [id, more] of [...SECOND_RUN, ...THIRD_RUN]) await bucket(stage, id, more)
  },
  'sign.use.expired': async stage => {
    stage.passTime(2000)
  },
  'uploadsign.info': async stage => {
    const { body } = await ok(stage, 'POST', '/object/upload/sign/ct-priv/su/one.txt', {})
    await ok(stage, 'PUT', body.url, 'signed', {
      'content-type': 'text/plain',
      'cache-control': 'max-age=60',
      'x-metadata': base64({ via: 'signed' }),
    })
  },
  'rls.upload.dup': async stage => {
    stage.server.addPolicy({
      bucket: 'ct-rls',
      actions: ['insert', 'select'],
      roles: ['authenticated'],
      when: (row, claims) => row.name.split('/')[0] === claims.sub,
    })
    await put(stage, `ct-rls/${USER}/a.txt`, 'x', { authorization: stage.volatile.fill('Bearer <user-key>') })
  },
  'list.root': async stage => {
    for (const [id] of SECOND_RUN) await dropBucket(stage, id)
    for (const [id, more] of SECOND_RUN) await bucket(stage, id, more)
    const names = ['docs/a.txt', 'docs/b.txt', 'docs/sub/c.txt', 'docs/sub/d.txt', 'docs/Zed.txt']
    for (const name of [...names, 'docs_x/e.txt', 'img/p.png', 'top.txt'])
      await put(stage, `cb-priv/${name}`, 'x')
    await put(stage, 'cb-priv/docs/emptyf/.emptyFolderPlaceholder', '')
  },
  'delete.one': async stage => {
    for (let index = 0; index < 5; index += 1) await put(stage, `cb-priv/many/00${index}`, 'x')
  },
  'copy.ok': async stage => {
    const headers = { 'cache-control': 'max-age=77', 'x-metadata': base64({ owner: 'me' }) }
    await put(stage, 'cb-priv/mv/src.txt', 'source', headers)
    await put(stage, 'cb-priv/mv/dst-exists.txt', 'there')
  },
  'copy.metadata-false.info': async stage => {
    const keys = { bucketId: 'cb-priv', sourceKey: 'mv/src.txt', destinationKey: 'mv/copy2.txt' }
    const metadata = { cacheControl: 'max-age=5', mimetype: 'text/markdown' }
    const headers = { 'x-metadata': base64({ fresh: true }) }
    await ok(stage, 'POST', '/object/copy', { ...keys, copyMetadata: false, metadata }, headers)
  },
  'copy.metadata-true-xmeta.info': async stage => {
    const keys = { bucketId: 'cb-priv', sourceKey: 'mv/src.txt', destinationKey: 'mv/copy4.txt' }
    const headers = { 'x-metadata': base64({ ignored: true }) }
    await ok(stage, 'POST', '/object/copy', { ...keys, copyMetadata: true }, headers)
  },
  'keys.stored-names': async stage => {
    for (const name of ['a%20%20b', 'a!b', 'a&b', 'a:b', 'a;b', 'p/q'])
      await put(stage, `cb-keys/${name}`, 'x')
  },
  'life.signed.before': async stage => {
    await put(stage, 'cb-priv/life/a.txt', 'v1')
  },
  'life.signed.after-reupload': async stage => {
    await put(stage, 'cb-priv/life/a.txt', 'v2-new')
  },
  'life.signed.after-move': async stage => {
    const keys = { bucketId: 'cb-priv', sourceKey: 'life/a.txt', destinationKey: 'life/b.txt' }
    await ok(stage, 'POST', '/object/move', keys)
  },
  'tus.patch.upsert': stage =>
    startUpload(
      stage,
      'Y2ItcHJpdi90dXMvb25lLmJpbi9lZmEzZWJlOC05OTc0LTRkMjMtYjdjNC0xZDUzZGZmMjI2ZDg',
      create('cb-priv', 'tus/one.bin', { 'x-upsert': 'true' }),
    ),
  'tus.patch.tinychunk': stage =>
    startUpload(
      stage,
      'Y2ItcHJpdi90dXMvcGFydC50eHQvZTQ5MTMxYjAtYjU3Yi00NGQ1LTgxNTctNzEwYTc2NjM0MWYw',
      create('cb-priv', 'tus/part.txt', { 'upload-length': '10' }),
    ),
  'sdk:createBucket': async stage => {
    for (const [id] of THIRD_RUN) await dropBucket(stage, id)
  },
  'fault.lock-held.upsert': async stage => {
    await bucket(stage, 'cd-priv')
    await put(stage, 'cd-priv/lock.txt', 'one')
    stage.server.faults.lockedObjects.add('cd-priv/lock.txt')
  },
  'fault.rowlock.delete-waits': async stage => {
    stage.server.faults.lockedObjects.clear()
  },
  'fault.rowlock.statement-timeout': async stage => {
    await put(stage, 'cd-priv/rl.txt', 'one')
    stage.server.faults.lockedRows.set('cd-priv/rl.txt', Promise.resolve('timed-out'))
  },
  'fault.store-down.get': async stage => {
    stage.server.faults.lockedRows.clear()
    for (const name of ['bk/a.txt', 'bk/b.txt']) await put(stage, `cd-priv/${name}`, 'keep')
    stage.server.faults.storeDown = true
  },
  'fault.store-back.get-a': async stage => {
    stage.server.faults.storeDown = false
  },
  'fault.db-down.get': async stage => {
    await put(stage, 'cd-priv/db/a.txt', 'keep')
    stage.server.faults.databaseDown = true
  },
  'fault.db-back.get': async stage => {
    stage.server.faults.databaseDown = false
  },
  'fault.db-saturated': async stage => {
    stage.server.faults.databaseSaturated = true
  },
  'fault.db-unsaturated.list': async stage => {
    stage.server.faults.databaseSaturated = false
  },
  'delete.batch.1100-present': async stage => {
    for (let index = 0; index < 1100; index += 1) await put(stage, `cd-priv/present/${index}`, 'x')
  },
}
