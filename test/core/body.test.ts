import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { type BodyOptions, openBody, type UploadBody } from '../../src/core/body.ts'
import { hasCode } from '../support/has-code.ts'

const options: BodyOptions = { key: 'k', provider: 'test' }
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

async function read(input: UploadBody, change: Partial<BodyOptions> = {}, sniff = false): Promise<string> {
  const { body } = await openBody(input, sniff, { ...options, ...change })
  const parts: Uint8Array[] = []
  for await (const chunk of body.chunks()) parts.push(Uint8Array.from(chunk))
  return Buffer.concat(parts).toString()
}

async function* pieces(...texts: string[]) {
  yield* texts
}

describe('bodies', () => {
  it.each<[string, () => UploadBody]>([
    ['a string', () => 'häuser'],
    ['bytes', () => Buffer.from('häuser')],
    ['an ArrayBuffer', () => Uint8Array.from(Buffer.from('häuser')).buffer],
    ['a view on other units', () => new DataView(Uint8Array.from(Buffer.from('häuser')).buffer)],
    ['a Blob', () => new Blob(['häuser'])],
    ['a Node stream', () => Readable.from([Buffer.from('hä'), Buffer.from('user')])],
    ['a web stream', () => new Blob(['häuser']).stream() as ReadableStream<Uint8Array>],
    ['an async iterable of bytes and strings', () => pieces('h', 'äu', '', 'ser')],
  ])('reads %s', async (_, make) => {
    expect(await read(make())).toBe('häuser')
    expect(await read(make(), {}, true)).toBe('häuser')
    expect(
      await read(make(), { size: 7, checksum: { algorithm: 'sha256', expected: sha256('häuser') } }),
    ).toBe('häuser')
  })

  it.each([[undefined], [null], [1], [{}], [['a']]])('refuses %j', async input => {
    await expect(openBody(input as unknown as UploadBody, false, options)).rejects.toSatisfy(
      hasCode('invalid-argument'),
    )
  })

  it('keeps the last chunk back until length and checksum are right', async () => {
    const seen: string[] = []
    const { body } = await openBody(pieces('one', 'two', 'three'), false, {
      ...options,
      checksum: { algorithm: 'sha256', expected: sha256('other') },
    })
    const reading = (async () => {
      for await (const chunk of body.chunks()) seen.push(Buffer.from(chunk).toString())
    })()
    await expect(reading).rejects.toSatisfy(hasCode('checksum-mismatch'))
    expect(seen).toEqual(['one', 'two'])
  })

  it.each([
    [5, 'only 6'],
    [7, 'only 6'],
  ])('refuses a stream whose length is not %i', async size => {
    await expect(read(pieces('one', 'two'), { size })).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it('ends a read that hangs when the signal does, and tells the source', async () => {
    const controller = new AbortController()
    let cancelled = false
    const hanging = new ReadableStream<Uint8Array>({
      pull: () => new Promise(() => {}),
      cancel() {
        cancelled = true
      },
    })
    const reading = read(hanging, { signal: controller.signal })
    controller.abort()
    await expect(reading).rejects.toSatisfy(hasCode('aborted'))
    expect(cancelled).toBe(true)
  })

  it('names a source that fails', async () => {
    async function* failing() {
      yield 'some'
      throw new Error('disk gone')
    }
    await expect(read(failing())).rejects.toMatchObject({
      code: 'aborted',
      message: expect.stringContaining('nothing was stored'),
    })
  })

  it('closes the source of a reader that stops early', async () => {
    let closed = false
    async function* endless() {
      try {
        for (;;) yield 'x'
      } finally {
        closed = true
      }
    }
    const { body } = await openBody(endless(), false, options)
    for await (const _ of body.chunks()) break
    await new Promise(setImmediate)
    expect(closed).toBe(true)
  })

  it('reads ahead no more than it needs to know the type', async () => {
    const { first } = await openBody(pieces('a'.repeat(5000), 'b'), true, options)
    expect(first.length).toBe(5000)
  })
})
