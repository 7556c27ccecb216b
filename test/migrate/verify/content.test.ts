import { execFileSync } from 'node:child_process'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { memory } from '../../../src/adapters/memory.ts'
import { faults } from '../../../src/decorators/faults.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { migrated } from './migrated.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stowage-verify-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const OBJECTS = { 'a.txt': 'some bytes that are long', 'b.txt': 'and others that are longer', 'c.txt': '' }

/** Changes one byte of a file as a bad disk does: neither its time nor what is noted of it beside it changes. */
async function rot(path: string): Promise<void> {
  execFileSync('touch', ['-r', path, `${path}.time`])
  const file = await open(path, 'r+')
  await file.write(Buffer.from('X'), 0, 1, 3)
  await file.close()
  execFileSync('touch', ['-r', `${path}.time`, path])
  await rm(`${path}.time`)
}

test.each(['source', 'destination'] as const)(
  'bytes that rot on the disk of the %s, under the same size and etag, are found by reading and by nothing else',
  async side => {
    const root = join(folder, side)
    const store = local({ root })
    const sides = side === 'source' ? { from: store } : { to: store }
    const { verify, statuses, row, from, to } = await migrated(OBJECTS, sides)
    const changed = side === 'source' ? from : to
    const before = await changed.info('b.txt')
    await rot(join(root, 'b.txt'))
    expect(await changed.info('b.txt')).toEqual(before)
    expect(await readdir(root)).toContain('b.txt')
    expect(await verify({ level: 'attributes' })).toMatchObject({ complete: true })
    expect(await verify({ level: 'checksum' })).toMatchObject({ complete: true })
    expect(await verify({ level: 'content' })).toMatchObject({
      complete: false,
      statuses: { match: 2, differ: 1 },
    })
    expect(await statuses()).toEqual({ 'a.txt': 'match', 'b.txt': 'differ', 'c.txt': 'match' })
    expect((await row('b.txt')).errorMessage).toContain(`the bytes at the ${side}`)
    await store.close()
  },
)

test('a body that breaks off each time is an error, and no match', async () => {
  const to = faults(memory(), { seed: 1, rules: [{ kind: 'cut', operations: ['download'], key: /^b/ }] })
  to.faults.enabled = false
  const { verify, statuses } = await migrated(OBJECTS, { to })
  to.faults.enabled = true
  expect(await verify({ level: 'content' })).toMatchObject({ complete: false })
  expect(await statuses()).toEqual({ 'a.txt': 'match', 'b.txt': 'error', 'c.txt': 'match' })
  expect(to.faults.log).toHaveLength(5)
})

test('an object that changes while it is verified is no match', async () => {
  const inner = memory()
  const change: { now?: () => Promise<unknown> } = {}
  const from = forward(inner, {
    async download(key, options) {
      if (key === 'b.txt') await change.now?.()
      return inner.download(key, options)
    },
  })
  const { verify, row } = await migrated(OBJECTS, { from })
  change.now = () => inner.upload('b.txt', 'and others that are LONGER')
  await verify({ level: 'content' })
  expect(await row('b.txt')).toMatchObject({
    status: 'differ',
    errorMessage: 'the source has changed since it was copied',
  })
  change.now = () => inner.delete('b.txt')
  await verify({ level: 'content' })
  expect((await row('b.txt')).status).not.toBe('match')
})

test('both sides are read once each, whatever their sizes', async () => {
  const { verify, calls } = await migrated(OBJECTS)
  await verify({ level: 'content' })
  expect(calls).toEqual({ 'from.page': 1, 'to.page': 1, 'to.info': 3, 'to.download': 3, 'from.download': 3 })
})
