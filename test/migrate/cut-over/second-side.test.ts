import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { StorageError } from '../../../src/core/errors.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward, intercept } from '../../../src/decorators/forward.ts'
import { type CutOver, cutOver } from '../../../src/migrate/cut-over/cut-over.ts'
import { type CutOverPhase, numberOf } from '../../../src/migrate/cut-over/phase.ts'
import { withRecords } from '../../../src/records/index.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'
import { putInPhase } from '../../support/cut-over-in-phase.ts'
import { eventually } from '../../support/eventually.ts'
import { textsOf } from './texts-of.ts'

const text = { contentType: 'text/plain' }

/** A store that can be switched off, or made to refuse deletes. */
function switched(inner: StorageProvider) {
  let off = false
  let refuses = false
  const around = intercept(inner, ({ operation, options }, run) => {
    if (off) return Promise.reject(new StorageError('unavailable', `${operation}: it is off`, { operation }))
    if (refuses && operation === 'deleteMany')
      return Promise.reject(new StorageError('permission-denied', 'deleteMany: not allowed', { operation }))
    return run(options)
  })
  const store = forward(inner, {
    ...around,
    download: (key, options) =>
      off
        ? Promise.reject(new StorageError('unavailable', 'download: it is off'))
        : inner.download(key, options),
  })
  return {
    store,
    off: (value: boolean) => {
      off = value
    },
    refuses: (value: boolean) => {
      refuses = value
    },
  }
}

async function started(phase: CutOverPhase, options: { share?: number } = {}) {
  const [from, to] = [memory(), memory()]
  const [fromSwitch, toSwitch] = [switched(from), switched(to)]
  const engine = sqlite({ path: ':memory:' })
  const store: CutOver = cutOver({
    from: fromSwitch.store,
    to: toSwitch.store,
    engine,
    compareReads: { share: options.share ?? 0 },
  })
  await store.status()
  await putInPhase(engine, 'default', phase)
  return {
    from,
    to,
    fromSwitch,
    toSwitch,
    engine,
    store,
    files: withRecords(store, engine, { env: {}, replaceGraceMs: 0 }),
  }
}

describe('a destination that is down', () => {
  it('stops no upload and no delete, is owed both, and gets them when it is back', async () => {
    const { from, to, toSwitch, store, files } = await started('dual-write')
    await files.upload('deleted.txt', 'deleted', text)
    toSwitch.off(true)
    await files.upload('a.txt', 'a', text)
    await files.upload('b.txt', 'b', text)
    expect(await files.delete('deleted.txt')).toMatchObject({ status: 'deleted' })
    expect(await (await files.download('a.txt')).text()).toBe('a')
    expect(await store.settle()).toMatchObject({ copied: 0, swept: 0, failed: 3 })
    const down = await store.status()
    expect(down.objects).toMatchObject({ owed: { from: 0, to: 2 }, undeleted: { from: 0, to: 1 } })
    expect(down.failing).toBe(3)
    expect(await textsOf(to)).toEqual(['deleted'])
    toSwitch.off(false)
    expect(await store.settle()).toMatchObject({ copied: 2, swept: 1, failed: 0 })
    expect(await textsOf(to)).toEqual(['a', 'b'])
    expect(await textsOf(from)).toEqual(['a', 'b'])
    expect((await store.status()).failing).toBe(0)
  })

  it('is paid by the worker, without a word', async () => {
    const { to, toSwitch, store, files } = await started('dual-write')
    toSwitch.off(true)
    await files.upload('a.txt', 'a', text)
    const worker = store.startWorker({ idleMs: 20 })
    toSwitch.off(false)
    await eventually(async () => expect(await textsOf(to)).toEqual(['a']))
    await worker.stop()
  })
})

describe('a source that is down in destination-first', () => {
  it('stops no upload; a delete goes on until both are rid of it, and nobody sees the file meanwhile', async () => {
    const { from, fromSwitch, store, files } = await started('destination-first')
    await files.upload('a.txt', 'a', text)
    fromSwitch.off(true)
    await files.upload('b.txt', 'b', text)
    await expect(files.delete('a.txt')).rejects.toMatchObject({ code: 'pending' })
    expect(await files.exists('a.txt')).toBe(false)
    fromSwitch.off(false)
    await store.settle()
    await files.recover()
    expect(await textsOf(from)).toEqual(['b'])
  })
})

describe('a delete that the first side refuses', () => {
  it('leaves the file as it was, on both sides', async () => {
    const { from, to, fromSwitch, store, files } = await started('dual-write')
    await files.upload('a.txt', 'a', text)
    fromSwitch.refuses(true)
    await expect(files.delete('a.txt')).rejects.toMatchObject({ code: 'permission-denied' })
    await store.settle()
    expect(await (await files.download('a.txt')).text()).toBe('a')
    expect([await textsOf(from), await textsOf(to)]).toEqual([['a'], ['a']])
    expect((await store.status()).objects).toMatchObject({ held: { from: 1, to: 1 }, deleted: 0 })
  })
})

describe('signed URLs', () => {
  it('are of the side that is read, and of the other one for what only that has', async () => {
    const secret = 'a secret of the tests'
    const from = memory({ signing: { baseUrl: 'http://from.test', secret } })
    const to = memory({ signing: { baseUrl: 'http://to.test', secret } })
    const engine = sqlite({ path: ':memory:' })
    const { store: late, off } = switched(to)
    const store = cutOver({ from, to: late, engine, beatMs: 20 })
    const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
    const hostOf = async (key: string) => new URL((await files.signedUrl(key, { expiresIn: 60 })).url).host
    await files.upload('0.txt', '0', text)
    await store.advance()
    await files.upload('1.txt', '1', text)
    off(true)
    await files.upload('owed.txt', 'owed', text)
    off(false)
    expect(await Promise.all(['0.txt', '1.txt', 'owed.txt'].map(hostOf))).toEqual([
      'from.test',
      'from.test',
      'from.test',
    ])
    await putInPhase(engine, 'default', 'destination-first')
    await eventually(async () =>
      expect((await store.status()).processes.map(({ phase }) => phase)).toEqual(['destination-first']),
    )
    expect(await Promise.all(['0.txt', '1.txt', 'owed.txt'].map(hostOf))).toEqual([
      'from.test',
      'to.test',
      'from.test',
    ])
    await files.close()
  })

  it('for uploads lead to one side, and what was sent is finalized on both, also in the next phase', async () => {
    const secret = 'a secret of the tests'
    const from = memory({ signing: { baseUrl: 'http://from.test', secret } })
    const to = memory({ signing: { baseUrl: 'http://to.test', secret } })
    const engine = sqlite({ path: ':memory:' })
    for (const [phase, next] of [
      ['source-only', 'dual-write'],
      ['compare-reads', 'destination-first'],
      ['destination-first', 'compare-reads'],
      ['destination-first', 'retired'],
    ] as const) {
      const name = `${numberOf(phase)}-${numberOf(next)}`
      const make = async (at: CutOverPhase) => {
        const store = cutOver({ from, to, engine, name })
        await store.status()
        await putInPhase(engine, name, at)
        return withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
      }
      const early = await make(phase)
      const { url, uploadId } = await early.signedUpload(`${name}.txt`, { expiresIn: 600 })
      const side = new URL(url).host === 'from.test' ? from : to
      expect(side).toBe(phase === 'destination-first' ? to : from)
      await side.upload(decodeURIComponent(new URL(url).pathname.slice(1)), name, text)
      const later = await make(next)
      await later.finalize(uploadId!)
      expect(await (await later.download(`${name}.txt`)).text()).toBe(name)
    }
    expect(await textsOf(to)).toEqual(expect.arrayContaining(['0-1', '4-5', '5-4', '5-6']))
  })
})

describe('what the sides tell differently', () => {
  it('is noticed by compared reads, and keeps the phase from changing', async () => {
    const { from, to, store, files } = await started('compare-reads', { share: 1 })
    await files.upload('a.txt', 'right', text)
    const physical = await files.physicalKey('a.txt')
    await files.download('a.txt').then(download => download.bytes())
    await to.upload(physical, 'wrong', text)
    await files.download('a.txt').then(download => download.bytes())
    const found = async () => {
      const all: string[] = []
      for await (const { key, kind } of store.differences()) all.push(`${kind} ${key}`)
      return all
    }
    await eventually(async () => expect(await found()).toEqual([`checksum ${physical}`]))
    const { contentDisposition } = await from.info(physical)
    await to.upload(physical, 'right', { ...text, contentDisposition: contentDisposition! })
    expect(await store.verify()).toMatchObject({ matched: true })
    await expect(store.advance()).rejects.toMatchObject({
      message: expect.stringContaining('compared reads differ'),
    })
    await store.forgetDifferences()
    expect(await store.advance()).toBe('destination-first')
  })

  it('is found by verification: other bytes, other attributes, lost objects, strangers, and what was deleted', async () => {
    const { from, to, store, files } = await started('verify')
    for (const key of ['bytes.txt', 'type.txt', 'lost.txt', 'gone.txt', 'same.txt'])
      await files.upload(key, 'right', text)
    const physical = (key: string) => files.physicalKey(key)
    await to.upload(await physical('bytes.txt'), 'wrong', text)
    await to.copy(await physical('type.txt'), await physical('type.txt'), { contentType: 'text/css' })
    await to.delete(await physical('lost.txt'))
    const gone = await physical('gone.txt')
    await files.delete('gone.txt')
    await to.upload(gone, 'back again', text)
    await to.upload('stranger.txt', 'x', text)
    const found = await store.verify({ level: 'content' })
    expect(found).toMatchObject({ matched: false, checked: 4, swept: 1, strangers: 1 })
    // What was lost has been brought back.
    expect(found.statuses).toMatchObject({ match: 2, differ: 2, 'missing-destination': 0 })
    expect(found.problems.map(({ detail }) => detail.split(' ')[0]).sort()).toEqual(['contentType', 'sha256'])
    expect(await to.exists(await physical('lost.txt'))).toBe(true)
    expect(await to.exists(gone)).toBe(false)
    expect(await from.exists(await physical('bytes.txt'))).toBe(true)
    await expect(store.advance()).rejects.toMatchObject({ code: 'conflict' })
  })
})

it('takes the no-cache that one store puts there by itself for no difference, and another value for one', async () => {
  const { to, store } = await started('verify')
  await store.upload('a.txt', 'a', text)
  await to.copy('a.txt', 'a.txt', { cacheControl: 'no-cache' })
  expect(await store.verify()).toMatchObject({ matched: true, statuses: { match: 1 } })
  await to.copy('a.txt', 'a.txt', { cacheControl: 'max-age=60' })
  expect(await store.verify()).toMatchObject({ matched: false, statuses: { differ: 1 } })
})

describe('a list', () => {
  it('has what either side has, once and in order, without what was deleted or is not ours, also in folders', async () => {
    const { from, to, store } = await started('dual-write')
    for (const key of ['a/1', 'b/1', 'c']) await store.upload(key, key, text)
    await to.delete('a/1')
    await from.delete('b/1')
    await store.upload('d/1', 'd', text)
    await store.delete('d/1')
    await to.upload('d/1', 'late', text)
    await to.upload('e', 'stranger', text)
    await from.upload('f', 'from before', text)
    const names = async (delimiter?: '/') => {
      const all: string[] = []
      for await (const entry of store.list({ pageSize: 2, ...(delimiter && { delimiter }) }))
        all.push(entry.kind === 'object' ? entry.key : entry.prefix)
      return all
    }
    expect(await names()).toEqual(['a/1', 'b/1', 'c', 'f'])
    expect(await names('/')).toEqual(['a/', 'b/', 'c', 'f'])
  })
})
