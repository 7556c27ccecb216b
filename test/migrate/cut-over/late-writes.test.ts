import { expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { withRecords } from '../../../src/records/index.ts'
import type { BatchOptions } from '../../../src/sql/engine.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { putInPhase } from '../../support/cut-over-in-phase.ts'
import { forwardEngine } from '../../support/forward-engine.ts'
import { textsOf } from './texts-of.ts'

const text = { contentType: 'text/plain' }
const HOUR = 3_600_000

/** A store whose uploads wait, each at its own gate. */
function gated(inner: StorageProvider) {
  let reached = () => {}
  let open = () => {}
  const isReached = new Promise<void>(resolve => {
    reached = resolve
  })
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  const store = forward(inner, {
    async upload(key, body, options) {
      if (key.startsWith('slow')) {
        reached()
        await gate
      }
      return inner.upload(key, body, options)
    },
  })
  return { store, isReached, open: () => open() }
}

async function slowUpload() {
  let time = Date.UTC(2026, 0, 1)
  const [from, to] = [memory(), memory()]
  const slow = gated(from)
  const engine = sqlite({ path: ':memory:' })
  const options = { engine, now: () => time }
  const writer = cutOver({ from: slow.store, to, ...options, owner: 'writer' })
  const other = cutOver({ from, to, ...options, owner: 'other' })
  await writer.status()
  await putInPhase(engine, 'default', 'dual-write')
  const upload = writer.upload('slow.txt', 'slow', text)
  upload.catch(() => {})
  await slow.isReached
  return { from, to, engine, writer, other, upload, open: slow.open, pass: (ms: number) => (time += ms) }
}

it('keeps a write that takes long, whoever settles and verifies meanwhile', async () => {
  const { from, to, other, upload, open, pass } = await slowUpload()
  pass(60_000)
  await other.settle()
  await other.settle()
  await other.verify()
  expect((await other.status()).failing).toBe(1)
  open()
  await upload
  expect([await textsOf(from), await textsOf(to)]).toEqual([['slow'], ['slow']])
  expect((await other.status()).objects.held).toEqual({ from: 1, to: 1 })
})

it('keeps a write that takes so long that it was taken for dead', async () => {
  const { from, to, other, upload, open, pass } = await slowUpload()
  pass(60_000)
  await other.settle()
  pass(2 * HOUR)
  await other.settle()
  open()
  await upload
  expect([await textsOf(from), await textsOf(to)]).toEqual([['slow'], ['slow']])
  expect((await other.status()).objects.held).toEqual({ from: 1, to: 1 })
})

it('takes away what lands under a deleted key after its last sweep', async () => {
  const { from, to, other, upload, open, pass } = await slowUpload()
  await other.delete('slow.txt')
  pass(HOUR)
  await other.settle()
  pass(HOUR)
  expect(await other.settle()).toMatchObject({ swept: 0 })
  open()
  await expect(upload).rejects.toMatchObject({ code: 'conflict' })
  await other.settle()
  expect([await textsOf(from), await textsOf(to)]).toEqual([[], []])
})

it('takes it away also where its process was given up meanwhile', async () => {
  const { from, to, engine, other, upload, open, pass } = await slowUpload()
  await other.delete('slow.txt')
  pass(HOUR)
  await other.settle()
  pass(HOUR)
  await other.settle()
  await engine.batch([["DELETE FROM stowage_cut_over_processes WHERE id LIKE 'writer%'"]])
  open()
  await expect(upload).rejects.toMatchObject({ code: 'unavailable' })
  await other.settle()
  expect([await textsOf(from), await textsOf(to)]).toEqual([[], []])
})

it('leaves at the source, when it is dropped, what a browser has sent there and nobody has finalized', async () => {
  const signing = { secret: 'a secret of the tests', baseUrl: 'http://files.test' }
  const [from, to] = [memory({ signing }), memory({ signing })]
  const engine = sqlite({ path: ':memory:' })
  const store = cutOver({ from, to, engine })
  const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
  await store.status()
  await putInPhase(engine, 'default', 'compare-reads')
  const { url, uploadId } = await files.signedUpload('sent.txt', { expiresIn: 600 })
  await from.upload(decodeURIComponent(new URL(url).pathname.slice(1)), 'sent', text)
  await store.verify()
  await store.advance()
  await store.verify({ level: 'content' })
  expect(await store.advance()).toBe('retired')
  await store.dropSource({ apply: true })
  await files.finalize(uploadId!)
  expect(await (await files.download('sent.txt')).text()).toBe('sent')
})

it('lets nobody take away the row of a process while a batch of it is under way', async () => {
  const inner = sqlite({ path: ':memory:' })
  const seen: BatchOptions[] = []
  const engine = forwardEngine(inner, {
    batch: (statements, options = {}) => {
      seen.push({ ...options, id: `${statements.map(([sql]) => sql).join('; ')}` })
      return inner.batch(statements, options)
    },
  })
  const store = cutOver({ from: memory(), to: memory(), engine })
  await store.status()
  await putInPhase(inner, 'default', 'dual-write')
  for (let number = 0; number < 20; number++) await store.upload(`${number}.txt`, 'x', text)
  await store.delete('0.txt')
  await store.close()
  const fenced = seen.filter(({ condition }) => condition?.[0].includes('stowage_cut_over_processes'))
  const removal = seen.find(({ id }) => id!.startsWith('DELETE FROM stowage_cut_over_processes'))
  expect(fenced.length).toBeGreaterThan(40)
  for (const { id, locks } of fenced)
    expect(
      locks!.filter(lock => removal!.locks!.includes(lock)),
      id,
    ).toHaveLength(1)
})

it('lists folders once and in order, however small the pages and whatever the second side has more', async () => {
  const [from, to] = [memory(), memory()]
  const engine = sqlite({ path: ':memory:' })
  const store = cutOver({ from, to, engine })
  await store.status()
  await putInPhase(engine, 'default', 'dual-write')
  const all: string[] = []
  for (const folder of ['a', 'b', 'c'])
    for (let number = 0; number < 5; number++) all.push(`${folder}/${number}`)
  for (const key of all) await store.upload(key, key, text)
  for (const [index, key] of all.entries()) if (index % 3 === 0) await from.delete(key)
  for (let number = 0; number < 7; number++) await to.upload(`b/stranger ${number}`, 'x', text)
  for (const pageSize of [1, 2, 3, 5]) {
    const keys: string[] = []
    for await (const entry of store.list({ pageSize })) keys.push(entry.kind === 'object' ? entry.key : '')
    expect(keys).toEqual(all)
    const folders: string[] = []
    for await (const entry of store.list({ pageSize, delimiter: '/' }))
      folders.push(entry.kind === 'object' ? entry.key : entry.prefix)
    expect(folders).toEqual(['a/', 'b/', 'c/'])
  }
})
