import { type CrashScenario, movedRow, withRow } from './crash-scenario.ts'

const text = { contentType: 'text/plain', metadata: { album: 'summer' } }

/** What makes new bytes of bytes that come from outside or from another file. */
export const WRITING_SCENARIOS: readonly CrashScenario[] = [
  {
    name: 'upload',
    act: files => files.upload('a.txt', 'new', text),
    after: { 'a.txt': 'new' },
    calls: 7,
  },
  {
    name: 'upload with a row',
    act: files => files.upload('a.txt', 'new', { ...text, ...withRow('a.txt') }),
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 7,
  },
  {
    name: 'upload to a store that overwrites',
    world: { capabilities: { createOnly: false } },
    act: files => files.upload('a.txt', stream('new'), text),
    after: { 'a.txt': 'new' },
    calls: 7,
  },
  {
    name: 'replace with a grace',
    arrange: async files => void (await files.upload('a.txt', 'old', text)),
    act: files => files.upload('a.txt', 'new', text),
    after: { 'a.txt': 'new' },
    calls: 7,
  },
  {
    name: 'replace without a grace',
    world: { records: { replaceGraceMs: 0 }, cdn: true },
    arrange: async files => {
      await files.upload('a.txt', 'old', text)
      await files.signedUrl('a.txt', { expiresIn: 60 })
    },
    act: files => files.upload('a.txt', 'new', text),
    after: { 'a.txt': 'new' },
    calls: 9,
  },
  {
    name: 'replace without a grace, with a row',
    world: { records: { replaceGraceMs: 0 } },
    arrange: async files => void (await files.upload('a.txt', 'old', { ...text, ...withRow('a.txt') })),
    act: files => files.upload('a.txt', 'new', { ...text, ...withRow('a.txt') }),
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 9,
  },
  {
    name: 'upload where nothing is',
    act: files => files.upload('a.txt', 'new', { ...text, ifNoneMatch: '*', ...withRow('a.txt') }),
    after: { 'a.txt': 'new' },
    rows: ['a.txt'],
    calls: 8,
  },
  {
    name: 'replace of a known generation',
    arrange: async files => void (await files.upload('a.txt', 'old', text)),
    act: async files => {
      const { etag } = await files.info('a.txt')
      return files.upload('a.txt', 'new', { ...text, ifMatch: etag! })
    },
    after: { 'a.txt': 'new' },
    calls: 9,
  },
  {
    name: 'copy',
    arrange: async files => void (await files.upload('a.txt', 'old', text)),
    act: files => files.copy('a.txt', 'b.txt'),
    after: { 'a.txt': 'old', 'b.txt': 'old' },
    calls: 8,
  },
  {
    name: 'copy over a file, with a row',
    world: { records: { replaceGraceMs: 0 } },
    arrange: async files => {
      await files.upload('a.txt', 'old', { ...text, ...withRow('a.txt') })
      await files.upload('b.txt', 'other', { ...text, ...withRow('b.txt') })
    },
    act: files => files.copy('a.txt', 'b.txt', withRow('b.txt')),
    after: { 'a.txt': 'old', 'b.txt': 'old' },
    rows: ['a.txt', 'b.txt'],
    calls: 8,
  },
  {
    name: 'move',
    world: { cdn: true },
    arrange: async files => {
      await files.upload('a.txt', 'old', text)
      await files.signedUrl('a.txt', { expiresIn: 60 })
    },
    act: files => files.move('a.txt', 'b.txt'),
    after: { 'b.txt': 'old' },
    calls: 9,
  },
  {
    name: 'move over a file, with rows',
    arrange: async files => {
      await files.upload('a.txt', 'old', { ...text, ...withRow('a.txt') })
      await files.upload('b.txt', 'other', { ...text, ...withRow('b.txt') })
    },
    act: files => files.move('a.txt', 'b.txt', movedRow('a.txt', 'b.txt')),
    after: { 'b.txt': 'old' },
    rows: ['a.txt', 'b.txt'],
    calls: 9,
  },
]

async function* stream(content: string) {
  yield Buffer.from(content)
}
