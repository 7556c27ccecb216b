import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { local } from '../../src/adapters/local/index.ts'
import { PROCESS_OWNER } from '../../src/core/process-owner.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { newBucket } from '../adapters/s3/bucket.ts'
import { describeOnS3Servers } from '../support/s3-servers.ts'
import { findingsOf, ORPHAN_ID } from './audited-files.ts'

const INTENT = `default/late.${ORPHAN_ID}.bin`
const ORPHAN = `default/lost.${ORPHAN_ID}.txt`
const LEFT = `default/film.${ORPHAN_ID}.mp4`
const [host, boot] = PROCESS_OWNER.split('-')

/** Plants one of each beside files of all sorts, and says what an audit must find. */
async function planted(store: StorageProvider) {
  const engine = sqlite({ path: ':memory:' })
  const files = withRecords(store, engine, { replaceGraceMs: 0 })
  for (const key of ['missing.txt', 'size.txt', 'kept.txt', 'dir/ä b.txt', 'dir.txt'])
    await files.upload(key, key)
  await files.upload('kept.txt', 'replaced')
  await files.upload('large.bin', Buffer.alloc(20_000_000, 'x'))
  await files.copy('large.bin', 'copy.bin')
  await files.move('dir.txt', 'moved.txt')
  expect(findingsOf(await files.audit())).toEqual([])
  await store.delete(await files.physicalKey('missing.txt'))
  await store.upload(await files.physicalKey('size.txt'), 'longer than recorded')
  await store.upload(ORPHAN, 'lost')
  await engine.batch([
    [
      "INSERT INTO t_default__journal (id, operation, kind, state, key, physical, owner, fence, beat, due_at, attempts, refusals, answered, stuck, data, created_at) VALUES ('x', 'x', 'write', 'open', 'late.bin', ?, ?, 1, 0, 0, 0, 0, 0, 0, '{}', 0)",
      INTENT,
      `${host}-${boot}-999999999-1-00000000`,
    ],
  ])
  const found = [
    'bytes-missing missing.txt',
    `orphan ${ORPHAN}`,
    'size-differs size.txt',
    'stale-intent late.bin',
  ]
  return { files, found }
}

async function collectPlanted({ files }: Awaited<ReturnType<typeof planted>>, store: StorageProvider) {
  const report = await files.collect({ apply: true, graceMs: 0, maxShare: 1 })
  expect(await store.exists(ORPHAN)).toBe(false)
  for (const key of ['kept.txt', 'dir/ä b.txt', 'copy.bin', 'moved.txt'])
    await files.download(key).then(got => got.bytes())
  await files.recover()
  return report
}

describe('audit and collect on local files', () => {
  it('find what was planted and nothing else, and remove the orphan and nothing else', async () => {
    const root = await mkdtemp(join(tmpdir(), 'stowage-audit-'))
    const store = local({ root })
    const made = await planted(store)
    expect(findingsOf(await made.files.audit()).sort()).toEqual(made.found)
    expect(await collectPlanted(made, store)).toMatchObject({ orphans: 1, removed: 1, foreign: 0 })
    expect(findingsOf(await made.files.audit()).sort()).toEqual([
      'bytes-missing missing.txt',
      'size-differs size.txt',
    ])
    await rm(root, { recursive: true })
  })
})

describeOnS3Servers('audit and collect', server => {
  it('find what was planted and nothing else, and remove the orphan and the left-over uploads and nothing else', async () => {
    const bucket = await newBucket(server)
    const store = bucket.files()
    const made = await planted(store)
    for (const Key of [INTENT, LEFT]) {
      const target = { Bucket: bucket.bucket, Key }
      const { UploadId } = await bucket.client.send(new CreateMultipartUploadCommand(target))
      await bucket.client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'part' }))
    }
    // MinIO lists uploads by whole keys only: one that the journal does not know can't be found there.
    const listsAll = server.name !== 'minio'
    const uploads = listsAll ? [LEFT, INTENT] : [INTENT]
    await new Promise(resolve => setTimeout(resolve, 1100))
    expect(findingsOf(await made.files.audit({ staleMs: 0 })).sort()).toEqual(
      [...made.found, ...uploads.map(key => `unfinished-upload ${key}`)].sort(),
    )
    expect(await collectPlanted(made, store)).toMatchObject({
      orphans: 1,
      removed: 1,
      endedUploads: listsAll ? 1 : 0,
    })
    expect(findingsOf(await made.files.audit()).sort()).toEqual([
      'bytes-missing missing.txt',
      'size-differs size.txt',
    ])
  })
})
