import type { RecordedFiles } from '../../../src/records/index.ts'
import { type CrashScenario, withoutRow, withRow } from './crash-scenario.ts'

const text = { contentType: 'text/plain', metadata: { album: 'summer' } }
const DAY = 86_400_000

/** What ends files, or brings them back. */
export const REMOVING_SCENARIOS: readonly CrashScenario[] = [
  {
    name: 'delete',
    arrange: async files => void (await files.upload('a.txt', 'old', text)),
    act: files => files.delete('a.txt'),
    after: {},
    calls: 7,
  },
  {
    name: 'delete with a row and a CDN',
    world: { cdn: true },
    arrange: async files => {
      await files.upload('a.txt', 'old', { ...text, ...withRow('a.txt') })
      await files.signedUrl('a.txt', { expiresIn: 60 })
    },
    act: files => files.delete('a.txt', withoutRow('a.txt')),
    after: {},
    rows: ['a.txt'],
    calls: 7,
  },
  {
    name: 'delete of a known generation',
    arrange: async files => void (await files.upload('a.txt', 'old', text)),
    act: async files => {
      const { etag } = await files.info('a.txt')
      return files.delete('a.txt', { ifMatch: etag! })
    },
    after: {},
    calls: 8,
  },
  {
    name: 'deleteMany',
    arrange: uploadThree,
    act: async files => allDone(await files.deleteMany(['a.txt', 'c.txt', 'missing.txt'])),
    after: { 'b.txt': 'two' },
    calls: 7,
  },
  {
    name: 'deleteMany with rows',
    arrange: uploadThree,
    act: async files => allDone(await files.deleteMany(['a.txt', 'c.txt'], withoutRow('a.txt', 'c.txt'))),
    after: { 'b.txt': 'two' },
    rows: ['a.txt', 'b.txt', 'c.txt'],
    calls: 7,
  },
  {
    name: 'delete of what can be restored',
    world: { records: { restoreMs: DAY }, cdn: true },
    arrange: uploadThree,
    act: files => files.delete('a.txt', withoutRow('a.txt')),
    after: { 'b.txt': 'two', 'c.txt': 'three' },
    rows: ['a.txt', 'b.txt', 'c.txt'],
    calls: 9,
  },
  {
    name: 'restore',
    world: { records: { restoreMs: DAY } },
    async arrange(files) {
      await uploadThree(files)
      await files.delete('a.txt', withoutRow('a.txt'))
    },
    act: files => files.restore('a.txt', withRow('a.txt')),
    after: { 'a.txt': 'one', 'b.txt': 'two', 'c.txt': 'three' },
    rows: ['a.txt', 'b.txt', 'c.txt'],
    calls: 8,
  },
  {
    name: 'delete and upload again',
    world: { records: { restoreMs: DAY } },
    arrange: uploadThree,
    act: async files => {
      await files.delete('a.txt', withoutRow('a.txt'))
      await files.upload('a.txt', 'again', { ...text, ...withRow('a.txt') })
    },
    after: { 'a.txt': 'again', 'b.txt': 'two', 'c.txt': 'three' },
    between: [{ 'b.txt': 'two', 'c.txt': 'three' }],
    rows: ['a.txt', 'b.txt', 'c.txt'],
    calls: 13,
  },
]

async function uploadThree(files: RecordedFiles): Promise<void> {
  await files.upload('a.txt', 'one', { ...text, ...withRow('a.txt') })
  await files.upload('b.txt', 'two', { ...text, ...withRow('b.txt') })
  await files.upload('c.txt', 'three', { ...text, ...withRow('c.txt') })
}

function allDone(results: Awaited<ReturnType<RecordedFiles['deleteMany']>>): void {
  for (const result of results) if (result.status === 'error') throw result.error
}
