import { describe, expect, it } from 'vitest'
import { Download } from '../../src/core/download.ts'

const info = { key: 'a.bin', size: 6 }

function opened() {
  const events: string[] = []
  const download = new Download({
    info,
    source: {
      async *chunks() {
        yield Uint8Array.of(1, 2, 3)
        yield Uint8Array.of(4, 5, 6)
      },
      cancel: () => void events.push('cancelled'),
    },
    onEnd: error => void events.push(error === undefined ? 'ended' : error.code),
  })
  return { download, events }
}

describe('a body that is given back before its first byte', () => {
  it('frees its connection when its web stream is cancelled', async () => {
    const { download, events } = opened()
    await download.stream().cancel()
    expect(events).toEqual(['cancelled', 'ended'])
  })

  it('frees its connection when its Node stream is destroyed', async () => {
    const { download, events } = opened()
    const stream = download.nodeStream()
    await new Promise(resolve => stream.once('close', resolve).destroy())
    expect(events).toEqual(['cancelled', 'ended'])
  })

  it('frees the connection below when a layer passes the bytes through', async () => {
    const { download, events } = opened()
    await download
      .through(source => source)
      .stream()
      .cancel()
    expect(events).toEqual(['cancelled', 'ended'])
  })
})

describe('the listener of a download', () => {
  it('hears of every chunk, and what it throws does not fail the read', async () => {
    const heard: unknown[] = []
    const download = new Download({
      info,
      source: {
        async *chunks() {
          yield Uint8Array.of(1, 2, 3)
          yield Uint8Array.of(4, 5, 6)
        },
        cancel() {},
      },
      onProgress(progress) {
        heard.push(progress)
        throw new Error('a bar that broke')
      },
    })
    expect((await download.bytes()).length).toBe(6)
    expect(heard).toEqual([
      { loaded: 3, total: 6 },
      { loaded: 6, total: 6 },
    ])
  })
})

describe('through', () => {
  it('shows other attributes and gives the same bytes', async () => {
    const { download } = opened()
    const renamed = download.through(source => source, undefined, { ...info, key: 'b.bin' })
    expect(renamed.info.key).toBe('b.bin')
    expect([...(await renamed.bytes())]).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('tells the end once, whether read, failed or cancelled', async () => {
    const ends: unknown[] = []
    const { download } = opened()
    const layer = download.through(
      source => source,
      error => ends.push(error?.code ?? 'ok'),
    )
    await layer.bytes()
    layer.cancel()
    expect(ends).toEqual(['ok'])
  })
})
