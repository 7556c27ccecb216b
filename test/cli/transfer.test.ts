import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { transfer } from '../../src/cli/transfer.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { forward } from '../../src/decorators/forward.ts'
import { hasCode } from '../support/has-code.ts'

function move(source: StorageProvider, destination: StorageProvider, lost: string[] = []) {
  return transfer(source, 'a', destination, 'b', {
    signal: new AbortController().signal,
    overwrite: true,
    onProgress() {},
    onLost: name => void lost.push(name),
  })
}

describe('a transfer', () => {
  it('takes type, headers and metadata along', async () => {
    const [source, destination] = [memory(), memory()]
    const kept = {
      contentType: 'image/png',
      cacheControl: 'max-age=1',
      metadata: { a: 'b' },
      contentLanguage: 'de',
    }
    await source.upload('a', 'bytes', kept)
    const { before, after } = await move(source, destination)
    expect(after).toMatchObject(kept)
    expect(after.checksum).toEqual(before.checksum)
  })

  it('names what the destination does not keep', async () => {
    const [source, inner] = [memory(), memory()]
    const destination = forward(inner, {
      get capabilities() {
        return { ...inner.capabilities, contentLanguage: false, metadata: false }
      },
    })
    await source.upload('a', 'bytes', {
      contentLanguage: 'de',
      metadata: { a: 'b' },
      cacheControl: 'no-store',
    })
    const lost: string[] = []
    const { after } = await move(source, destination, lost)
    expect(lost).toEqual(['contentLanguage', 'metadata'])
    expect(after.cacheControl).toBe('no-store')
  })

  it('stores nothing where the bytes are not those that the source has promised', async () => {
    const [inner, destination] = [memory(), memory()]
    await inner.upload('a', 'bytes')
    await inner.upload('other', 'bytEs')
    const source = forward(inner, {
      download: (_, { ifMatch: __, ...options } = {}) => inner.download('other', options),
    })
    await expect(move(source, destination)).rejects.toSatisfy(hasCode('checksum-mismatch'))
    expect(await destination.exists('b')).toBe(false)
  })

  it('never mixes two versions: a source that is replaced on the way is refused', async () => {
    const [inner, destination] = [memory(), memory()]
    await inner.upload('a', 'first')
    const source = forward(inner, {
      download: async (key, options) => {
        await inner.upload(key, 'second')
        return inner.download(key, options)
      },
    })
    await expect(move(source, destination)).rejects.toSatisfy(hasCode('precondition-failed'))
    expect(await destination.exists('b')).toBe(false)
  })
})
