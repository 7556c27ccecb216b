import type { PreparedUpload, RecordedFiles } from '../../../src/records/index.ts'
import type { World } from '../support/world.ts'
import { type CrashScenario, movedRow, withoutRow, withRow } from './crash-scenario.ts'
import { sendSigned } from './send-signed.ts'

const text = { contentType: 'text/plain', metadata: { album: 'summer' } }
const DAY = 86_400_000
/** What a world's process has prepared, for its second call. */
const kept = new WeakMap<World, PreparedUpload>()

/** Uploads in two halves, and what brings files back together with rows. */
export const PREPARED_SCENARIOS: readonly CrashScenario[] = [
  {
    name: 'prepareUpload and publish',
    act: async files => files.publish(await files.prepareUpload('a.txt', 'new', text)),
    after: { 'a.txt': 'new' },
    calls: 10,
  },
  {
    name: 'prepareUpload and publish with a row',
    act: async files => files.publish(await files.prepareUpload('a.txt', 'new', text), withRow('a.txt')),
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 10,
  },
  {
    name: 'prepareUpload and publish where nothing is, with a row',
    act: async files =>
      files.publish(await files.prepareUpload('a.txt', 'new', text), {
        ifNoneMatch: '*',
        ...withRow('a.txt'),
      }),
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 10,
  },
  {
    name: 'prepareUpload and publish over a file, without a grace',
    world: { records: { replaceGraceMs: 0 }, cdn: true },
    arrange: async files => {
      await files.upload('a.txt', 'old', text)
      await files.signedUrl('a.txt', { expiresIn: 60 })
    },
    act: async files => files.publish(await files.prepareUpload('a.txt', 'new', text)),
    after: { 'a.txt': 'new' },
    calls: 9,
  },
  {
    name: 'prepareUpload and publish over a file, with a grace and a row',
    arrange: uploadWithRow,
    act: async files => files.publish(await files.prepareUpload('a.txt', 'new', text), withRow('a.txt')),
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 7,
  },
  {
    name: 'prepareUpload and publish over a known generation, with a row',
    world: { records: { replaceGraceMs: 0 } },
    arrange: uploadWithRow,
    async act(files) {
      const { etag } = await files.info('a.txt')
      const upload = await files.prepareUpload('a.txt', 'new', text)
      return files.publish(upload, { ifMatch: etag!, ...withRow('a.txt') })
    },
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 10,
  },
  {
    name: 'publish once more of the same bytes',
    world: { records: { replaceGraceMs: 0 } },
    arrange: uploadWithRow,
    async act(files, world) {
      const upload = kept.get(world) ?? (await files.prepareUpload('a.txt', 'new', text))
      kept.set(world, upload)
      return files.publish(upload, withRow('a.txt'))
    },
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 9,
  },
  {
    name: 'publish with a row, and discard where it throws',
    arrange: uploadWithRow,
    async act(files) {
      const upload = await files.prepareUpload('a.txt', 'new', text)
      try {
        return await files.publish(upload, withRow('a.txt'))
      } catch (error) {
        await files.discard(upload)
        throw error
      }
    },
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 7,
  },
  {
    name: 'publish with a row, and discard all the same',
    async act(files) {
      const upload = await files.prepareUpload('a.txt', 'new', text)
      await files.publish(upload, withRow('a.txt'))
      await files.discard(upload)
    },
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 11,
  },
  {
    name: 'prepareUpload and discard',
    act: async files => files.discard(await files.prepareUpload('a.txt', 'new', text)),
    after: {},
    rows: ['a.txt'],
    calls: 13,
  },
  {
    name: 'prepareUpload and discard beside a file',
    arrange: uploadWithRow,
    act: async files => files.discard(await files.prepareUpload('a.txt', 'new', text)),
    after: { 'a.txt': 'old' },
    rows: ['a.txt'],
    calls: 9,
  },
  {
    name: 'signed upload, prepareFinalize and publish, with a row',
    async act(files, world) {
      const { uploadId } = await files.signedUpload('a.txt', { expiresIn: 600 })
      await sendSigned(world, uploadId!, 'sent')
      return files.publish(await files.prepareFinalize(uploadId!), withRow('a.txt'))
    },
    after: { 'a.txt': 'sent' },
    rows: ['a.txt'],
    calls: 14,
  },
  {
    name: 'prepareFinalize and publish over a file',
    world: { records: { replaceGraceMs: 0 }, cdn: true },
    async arrange(files, world) {
      await files.upload('a.txt', 'old', text)
      await files.signedUrl('a.txt', { expiresIn: 60 })
      await arrangeSent(files, world)
    },
    act: async (files, world) =>
      files.publish(await files.prepareFinalize(world.notes.get('uploadId')!, { checksum: 'sha256' })),
    after: { 'a.txt': 'sent' },
    calls: 12,
  },
  {
    name: 'prepareFinalize and publish over a file, with a row',
    async arrange(files, world) {
      await uploadWithRow(files)
      await arrangeSent(files, world)
    },
    act: async (files, world) =>
      files.publish(await files.prepareFinalize(world.notes.get('uploadId')!), withRow('a.txt')),
    after: { 'a.txt': 'sent' },
    rows: ['a.txt'],
    calls: 9,
  },
  {
    name: 'prepareFinalize and discard',
    async arrange(files, world) {
      await uploadWithRow(files)
      await arrangeSent(files, world)
    },
    act: async (files, world) => files.discard(await files.prepareFinalize(world.notes.get('uploadId')!)),
    after: { 'a.txt': 'old' },
    rows: ['a.txt'],
    calls: 11,
  },
  {
    name: 'restore of the elder of two, with its row',
    world: { records: { restoreMs: DAY } },
    async arrange(files, world) {
      await uploadWithRow(files)
      await files.delete('a.txt', withoutRow('a.txt'))
      const [deleted] = await files.deleted()
      world.notes.set('generation', deleted!.generation)
      world.simulation.clock.advance(1)
      await files.upload('a.txt', 'younger', text)
      await files.delete('a.txt')
    },
    act: (files, world) =>
      files.restore('a.txt', { generation: world.notes.get('generation')!, ...withRow('a.txt') }),
    after: { 'a.txt': 'old' },
    rows: ['a.txt'],
    calls: 8,
  },
  {
    name: 'restore that gives a row for another, in a store that overwrites',
    world: { records: { restoreMs: DAY }, capabilities: { createOnly: false } },
    async arrange(files) {
      await uploadWithRow(files)
      await files.delete('a.txt', movedRow('a.txt', 'a.txt (deleted)'))
    },
    act: files => files.restore('a.txt', movedRow('a.txt (deleted)', 'a.txt')),
    after: { 'a.txt': 'old' },
    rows: ['a.txt'],
    calls: 8,
  },
]

async function uploadWithRow(files: RecordedFiles): Promise<void> {
  await files.upload('a.txt', 'old', { ...text, ...withRow('a.txt') })
}

/** A signed upload to which a browser has sent its bytes. */
async function arrangeSent(files: RecordedFiles, world: World): Promise<void> {
  const { uploadId } = await files.signedUpload('a.txt', { expiresIn: 600 })
  await sendSigned(world, uploadId!, 'sent')
  world.notes.set('uploadId', uploadId!)
}
