import { describe, expect, it } from 'vitest'
import { Download, type DownloadParts } from '../../src/core/download.ts'
import { StorageError } from '../../src/core/errors.ts'
import { hasCode } from '../support/has-code.ts'

function opened(texts: string[], change: Partial<DownloadParts> & { size?: number } = {}) {
  let cancelled = 0
  const ends: (StorageError | undefined)[] = []
  const { size = texts.join('').length, ...parts } = change
  const download = new Download({
    info: { key: 'k', size },
    source: {
      async *chunks() {
        for (const text of texts) yield Buffer.from(text)
      },
      cancel: () => void cancelled++,
    },
    onEnd: error => void ends.push(error),
    ...parts,
  })
  return { download, ends, cancelled: () => cancelled }
}

describe('a download', () => {
  it('gives its bytes in every form', async () => {
    expect(Buffer.from(await opened(['he', 'llo']).download.bytes()).toString()).toBe('hello')
    expect(await opened(['he', 'llo']).download.text()).toBe('hello')
    expect(await opened(['{"a"', ':1}']).download.json()).toEqual({ a: 1 })
    expect(await new Response(opened(['he', 'llo']).download.stream()).text()).toBe('hello')
    const parts: Uint8Array[] = []
    for await (const chunk of opened(['he', 'llo']).download.nodeStream()) parts.push(chunk)
    expect(Buffer.concat(parts).toString()).toBe('hello')
  })

  it('gives them once', async () => {
    const { download } = opened(['x'])
    await download.bytes()
    await expect(download.text()).rejects.toSatisfy(hasCode('invalid-argument'))
    expect(() => download.stream()).toThrow(StorageError)
  })

  it.each([
    ['bytes', (download: Download) => download.bytes()],
    ['a web stream', (download: Download) => new Response(download.stream()).text()],
    ['a Node stream', (download: Download) => download.nodeStream().toArray()],
  ])('fails as %s where the source ends early', async (_, read) => {
    const { download, ends } = opened(['short'], { size: 10 })
    await expect(read(download)).rejects.toSatisfy(hasCode('unavailable'))
    expect(ends.map(error => error?.code)).toEqual(['unavailable'])
  })

  it('fails where the source gives more than the object has', async () => {
    await expect(opened(['longer'], { size: 3 }).download.bytes()).rejects.toSatisfy(hasCode('unavailable'))
  })

  it('compares a range with its own length', async () => {
    expect(await opened(['ell'], { size: 5, span: { offset: 1, length: 3 } }).download.text()).toBe('ell')
  })

  it('frees its source when a loop is left', async () => {
    const { download, ends, cancelled } = opened(['a', 'b', 'c'])
    for await (const _ of download) break
    expect(cancelled()).toBeGreaterThan(0)
    expect(ends).toEqual([undefined])
  })

  it('ends a source that hangs when its signal does', async () => {
    const controller = new AbortController()
    const hang = () => new Promise<never>(() => {})
    const source = { chunks: () => ({ [Symbol.asyncIterator]: () => ({ next: hang }) }), cancel() {} }
    const toError = () => new StorageError('aborted', 'ended')
    const { download } = opened([], { source, size: 1, signal: controller.signal, toError })
    const reading = download.bytes()
    controller.abort()
    await expect(reading).rejects.toSatisfy(hasCode('aborted'))
  })

  it('names what the source throws', async () => {
    const source = {
      async *chunks(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('a')
        throw new Error('vendor')
      },
      cancel() {},
    }
    const { download } = opened([], {
      source,
      size: 2,
      toError: () => new StorageError('rate-limited', 'slow down'),
    })
    await expect(download.bytes()).rejects.toSatisfy(hasCode('rate-limited'))
  })

  it('says that an object is no JSON', async () => {
    await expect(opened(['<html>']).download.json()).rejects.toSatisfy(hasCode('invalid-argument'))
  })
})
