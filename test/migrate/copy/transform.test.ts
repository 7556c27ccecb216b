import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGzip, gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { faults } from '../../../src/decorators/faults.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import type { BodyTransform } from '../../../src/migrate/migrate-options.ts'
import { migrated, ofKind, textsOf, twoSides } from './two-sides.ts'

const gzip: BodyTransform = body => Readable.from(body).pipe(createGzip())
const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

describe('a transform', () => {
  test('repacks bodies; the sums of what went in and of what came out are kept and verified', async () => {
    const sides = await twoSides({ a: 'a'.repeat(5_000) })
    const { result } = await migrated({ ...sides, transform: gzip, verify: 'content' })
    expect(result).toMatchObject({ complete: true, copied: 1 })
    const stored = await (await sides.to.download('a')).bytes()
    expect(gunzipSync(stored).toString()).toBe('a'.repeat(5_000))
    const row = await (await migrate({ ...sides, transform: gzip }).manifest()).row('a')
    expect(row).toMatchObject({
      size: 5_000,
      destinationSize: stored.length,
      sourceChecksum: sha256(Buffer.from('a'.repeat(5_000))),
      destinationChecksum: sha256(stored),
    })
  })

  test('streams what is large', async () => {
    const large = Buffer.alloc(20 * 2 ** 20, 'large ')
    const sides = await twoSides({ a: large })
    const same: BodyTransform = async function* (body) {
      yield* body
      yield Buffer.from('!')
    }
    const { result } = await migrated({ ...sides, transform: same })
    expect(result.complete).toBe(true)
    const stored = await (await sides.to.download('a')).bytes()
    expect(Buffer.concat([large, Buffer.from('!')]).equals(stored)).toBe(true)
  })

  test('that fails fails its object alone', async () => {
    const sides = await twoSides({ a: 'a', b: 'b' })
    const { result, events } = await migrated({
      ...sides,
      transform(body, { key }) {
        if (key === 'a') throw new Error('no such picture')
        return body
      },
    })
    expect(result).toMatchObject({ complete: false, copied: 1, failed: 1 })
    expect(ofKind(events, 'failed')[0]?.error.message).toContain('no such picture')
    expect(await textsOf(sides.to)).toEqual({ b: 'b' })
  })

  test('that does not pass on a failure of the source is dropped with it, and the object is tried again', async () => {
    const { from, ...others } = await twoSides({ a: Buffer.alloc(300_000, 'a') })
    const broken = faults(from, { seed: 1, rules: [{ kind: 'cut', operations: ['download'], times: 1 }] })
    const { result, events } = await migrated({
      ...others,
      from: broken,
      // A pipe does not pass on that what is piped into it fails.
      transform: gzip,
      sleep: async () => {},
    })
    expect(result).toMatchObject({ complete: true, copied: 1 })
    expect(ofKind(events, 'retry').map(({ error }) => error.code)).toEqual(['unavailable'])
  })

  test('that gives text instead of bytes is told what to do', async () => {
    const sides = await twoSides({ a: 'a' })
    const { events } = await migrated({ ...sides, transform: (async () => 'text') as never })
    expect(ofKind(events, 'failed')[0]?.error).toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('async iterable of bytes'),
    })
  })
})
