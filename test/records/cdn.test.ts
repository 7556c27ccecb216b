import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { InvalidationResult, InvalidationTarget, Invalidator } from '../../src/core/invalidator.ts'
import type { RecordsOptions } from '../../src/records/index.ts'
import { eventually } from '../support/eventually.ts'
import { forwardEngine } from '../support/forward-engine.ts'
import { changed, recorded } from '../support/recorded.ts'

function listener(answers: InvalidationResult[] = []) {
  const told: InvalidationTarget[] = []
  const invalidator: Invalidator = {
    name: 'listener',
    async invalidate(targets) {
      told.push(...targets)
      return targets.map(() => answers.shift() ?? { ok: true })
    },
    async close() {},
  }
  return { told, invalidator }
}

const MINUTE = 60_000
const refused: InvalidationResult = {
  ok: false,
  error: new StorageError('rate-limited', 'listener: too fast', { retryAfterMs: 600_000 }),
}

function world(answers: InvalidationResult[] = [], options: RecordsOptions = {}) {
  const { told, invalidator } = listener(answers)
  return { ...recorded({ ...options, cdn: { invalidator, settlingMs: MINUTE } }), told }
}

describe('telling the CDN', () => {
  it('comes after the bytes are gone, with every path that was handed out, and once more after the settling time', async () => {
    const { files, told, stored, advance } = world([], { replaceGraceMs: 0 })
    await files.upload('a/photo.jpg', 'bytes')
    const physical = await files.physicalKey('a/photo.jpg')
    await files.signedUrl('a/photo.jpg', { expiresIn: 60 })
    await files.signedUrls(['a/photo.jpg'], { expiresIn: 600 })
    await files.delete('a/photo.jpg')
    expect(await stored()).toEqual([])
    expect(told).toEqual([])
    await files.recover()
    expect(told).toEqual([
      { key: physical, paths: [`/files/${physical}`], tags: [], reference: expect.stringMatching(/\/1$/) },
    ])
    await files.recover()
    expect(told).toHaveLength(1)
    advance(MINUTE + 1)
    await files.recover()
    expect(told.map(target => target.reference?.slice(-2))).toEqual(['/1', '/2'])
    expect(await files.jobs()).toEqual([])
  })

  it('is told of replaced and moved files, too', async () => {
    const { files, told } = world([], { replaceGraceMs: 0 })
    await files.upload('a', 'one')
    const first = await files.physicalKey('a')
    await files.upload('a', 'two')
    const second = await files.physicalKey('a')
    await files.move('a', 'b')
    await files.recover()
    expect(told.map(target => target.key)).toEqual([first, second])
  })

  it('writes each path once, however many URLs are signed', async () => {
    let writes = 0
    const { files } = recorded({
      cdn: { invalidator: listener().invalidator },
      throughEngine: engine =>
        forwardEngine(engine, {
          batch(statements, options) {
            if (statements.some(([sql]) => sql.includes('handed_out') && sql.startsWith('INSERT'))) writes++
            return engine.batch(statements, options)
          },
        }),
    })
    await files.upload('a', 'x')
    for (let index = 1; index <= 20; index++) await files.signedUrl('a', { expiresIn: index })
    expect(writes).toBe(1)
  })

  it('keeps a bounded set: beyond it everything under the path is named', async () => {
    const { told, invalidator } = listener()
    const { files } = recorded({
      cdn: {
        invalidator,
        maxPaths: 3,
        pathOf: url => `${url.pathname}?expires=${url.searchParams.get('expires')}`,
      },
    })
    await files.upload('a', 'x')
    const physical = await files.physicalKey('a')
    for (let index = 1; index <= 10; index++) await files.signedUrl('a', { expiresIn: index * 100 })
    await files.delete('a')
    await files.recover()
    expect(told).toHaveLength(1)
    expect(told[0]!.paths).toHaveLength(3)
    expect(told[0]!.prefixes).toEqual([`/files/${physical}`])
  })

  it('writes nothing of what is handed out where there is no CDN', async () => {
    const { files, rows } = recorded()
    await files.upload('a', 'x')
    await files.signedUrl('a', { expiresIn: 60 })
    expect(await rows('SELECT * FROM t_default__handed_out')).toEqual([])
  })

  it('never undoes or blocks a delete: it is told again, not before it says, and ends on the stuck list', async () => {
    const { files, told, advance, events } = world([refused, refused], { maxAttempts: 2 })
    await files.upload('a', 'x')
    expect(await files.delete('a')).toMatchObject({ status: 'deleted' })
    await files.recover()
    expect(told).toHaveLength(1)
    advance(599_000)
    await files.recover()
    expect(told).toHaveLength(1)
    advance(2_000)
    await files.recover()
    expect(told).toHaveLength(2)
    const [job] = await files.jobs({ stuck: true })
    expect(job).toMatchObject({ kind: 'cdn', error: 'rate-limited: listener: too fast' })
    expect(events.at(-1)).toMatchObject({ kind: 'job-stuck', severity: 'alarm' })
    await files.cancelJob(job!.id)
    expect(await files.jobs()).toEqual([])
  })

  it('is owed by a process that knows no CDN, and told by the next one that does', async () => {
    const { told, invalidator } = listener()
    const first = recorded({ cdn: { invalidator }, replaceGraceMs: 0 })
    await first.files.upload('a', 'x')
    await first.files.upload('never handed out', 'x')
    await first.files.signedUrl('a', { expiresIn: 60 })
    const tool = first.another({ cdn: undefined, maxAttempts: 1 })
    await tool.deleteMany(['a', 'never handed out'])
    await tool.recover()
    expect(told).toEqual([])
    expect(await tool.jobs()).toMatchObject([{ kind: 'cdn', status: 'waiting', key: 'a', attempts: 0 }])
    await first.files.recover()
    expect(told).toHaveLength(1)
  })

  it('is told by whoever goes on after a crash between the deletion and its answer', async () => {
    const { told, invalidator } = listener()
    let hangs = true
    const first = recorded({
      cdn: { invalidator },
      leaseMs: 30_000,
      through: changed(inner => ({
        async deleteMany(keys, options) {
          const results = await inner.deleteMany(keys, options)
          return hangs ? new Promise(() => {}) : results
        },
      })),
    })
    await first.files.upload('a', 'x')
    void first.files.delete('a')
    await eventually(async () => expect(await first.stored()).toEqual([]))
    hangs = false
    const second = first.another()
    await second.recover({ waitForLeases: true })
    await second.recover()
    expect(told).toHaveLength(1)
    expect(await second.exists('a')).toBe(false)
  })
})
