import { createHash } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { UploadBody } from '../../src/core/body.ts'
import type { BodyOptions } from '../../src/core/body-failures.ts'
import { openBody } from '../../src/core/open-body.ts'
import { hasCode } from '../support/has-code.ts'

const options: BodyOptions = { key: 'k', provider: 'test' }
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

async function read(input: UploadBody, change: Partial<BodyOptions> = {}, sniff = false): Promise<string> {
  const { body } = await openBody(input, sniff, { ...options, ...change })
  const parts: Uint8Array[] = []
  for await (const chunk of body.chunks()) parts.push(Uint8Array.from(chunk))
  return Buffer.concat(parts).toString()
}

function sharedMemory(text: string) {
  const bytes = new Uint8Array(new SharedArrayBuffer(Buffer.byteLength(text)))
  bytes.set(Buffer.from(text))
  return bytes
}

async function* pieces(...texts: string[]) {
  yield* texts
}

describe('bodies', () => {
  it.each<[string, () => UploadBody]>([
    ['a string', () => 'häuser'],
    ['bytes', () => Buffer.from('häuser')],
    ['an ArrayBuffer', () => Uint8Array.from(Buffer.from('häuser')).buffer],
    ['a view on shared memory', () => sharedMemory('häuser')],
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

  it('copies shared memory, which another thread may change while it is sent', async () => {
    const memory = sharedMemory('before')
    const { body } = await openBody(memory, false, options)
    memory.set(Buffer.from('after!'))
    expect(Buffer.from(body.bytes!).toString()).toBe('before')
    expect(body.bytes!.buffer).toBeInstanceOf(ArrayBuffer)
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

describe('bodies that are hard to read', () => {
  async function* refilled() {
    const buffer = Buffer.alloc(3)
    for (const letter of 'abc') yield buffer.fill(letter)
  }

  it('keeps what a generator has given when it fills the same buffer again', async () => {
    expect(await read(refilled())).toBe('aaabbbccc')
    expect(await read(refilled(), {}, true)).toBe('aaabbbccc')
  })

  it.each<[string, () => AsyncIterable<Uint8Array>]>([
    ['a Node stream', () => Readable.from([Buffer.from('gone')])],
    ['a web stream', () => new Blob(['gone']).stream() as unknown as AsyncIterable<Uint8Array>],
  ])('refuses %s that somebody else has read to its end', async (_, make) => {
    const body = make()
    for await (const _chunk of body);
    await expect(read(body as UploadBody)).rejects.toSatisfy(hasCode('invalid-argument'))
    await expect(read(body as UploadBody, {}, true)).rejects.toSatisfy(hasCode('invalid-argument'))
    expect(await read(body as UploadBody, { size: 0 })).toBe('')
  })

  it('reads what is left of a stream that somebody else has begun', async () => {
    const stream = Readable.from([Buffer.from('first'), Buffer.from('rest')])
    const iterator = stream.iterator({ destroyOnReturn: false })
    await iterator.next()
    await iterator.return?.()
    expect(await read(stream)).toBe('rest')
  })

  it('takes an empty stream', async () => {
    expect(await read(Readable.from([]))).toBe('')
    expect(await read(new Blob([]).stream() as ReadableStream<Uint8Array>)).toBe('')
  })

  it('refuses a web stream that another reader has locked', async () => {
    const stream = new Blob(['x']).stream() as ReadableStream<Uint8Array>
    stream.getReader()
    await expect(read(stream)).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it('refuses text that cannot be UTF-8 instead of storing other characters', async () => {
    await expect(read('half \ud83d')).rejects.toSatisfy(hasCode('invalid-argument'))
    await expect(read(pieces('\ud83d', '\ude00'))).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it('reads an iterator written by hand that answers without promises', async () => {
    let left = 2
    const next = () => (left-- > 0 ? { value: 'x', done: false } : { value: undefined, done: true })
    const body = { [Symbol.asyncIterator]: () => ({ next, return: next }) } as unknown as UploadBody
    expect(await read(body)).toBe('xx')
    left = 2
    await expect(read(body, { size: 1 })).rejects.toThrow(/1 were declared/)
  })

  it('leaves no listener on the signal when the source fails', async () => {
    const { signal } = new AbortController()
    const failing = Readable.from({
      async *[Symbol.asyncIterator]() {
        yield 'a'
        throw new Error('broken')
      },
    })
    await expect(read(failing, { signal })).rejects.toSatisfy(hasCode('aborted'))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('frees a source that hangs when the signal ends', async () => {
    let cancelled = false
    const node = new Readable({ read() {} })
    const web = new ReadableStream<Uint8Array>({
      cancel() {
        cancelled = true
      },
    })
    for (const body of [node, web]) {
      const ends = new AbortController()
      const reading = read(body, { signal: ends.signal })
      setImmediate(() => ends.abort())
      await expect(reading).rejects.toSatisfy(hasCode('aborted'))
    }
    expect(node.destroyed).toBe(true)
    expect(cancelled).toBe(true)
  })

  it('frees a stream that is given up before its first byte, but no request that still takes an answer', async () => {
    const file = new Readable({ read() {} })
    const request = Object.assign(new Readable({ read() {} }), { socket: {} })
    for (const stream of [file, request]) await (await openBody(stream, false, options)).body.discard()
    expect([file.destroyed, request.destroyed]).toEqual([true, false])
  })

  it('drops what a progress listener throws', async () => {
    const onProgress = () => {
      throw new Error('not ours')
    }
    expect(await read(pieces('a', 'b'), { onProgress })).toBe('ab')
    const { body } = await openBody('ab', false, { ...options, onProgress })
    expect(() => body.sent(2)).not.toThrow()
  })
})
