import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import type { Capabilities } from '../../src/core/capabilities.ts'
import { forward, readOnly } from '../../src/decorators/index.ts'

const signing = { baseUrl: 'https://example.org/files', secret: 'a-secret-of-some-length' }

describe('readOnly', () => {
  const files = readOnly(memory({ signing }))
  it.each<[string, () => Promise<unknown>]>([
    ['upload', () => files.upload('a', 'a')],
    ['copy', () => files.copy('a', 'b')],
    ['move', () => files.move('a', 'b')],
    ['delete', () => files.delete('a')],
    ['deleteMany', () => files.deleteMany(['a'])],
    ['signedUpload', () => files.signedUpload('a', { expiresIn: 60 })],
    ['abortUpload', () => files.abortUpload('a', 'an-upload')],
    ['signedUrl', () => files.signedUrl('a', { expiresIn: 60, method: 'PUT' })],
    ['signedUrls', () => files.signedUrls(['a'], { expiresIn: 60, method: 'DELETE' })],
  ])('refuses %s', async (operation, write) => {
    await expect(write()).rejects.toMatchObject({ code: 'unsupported', operation, provider: 'memory' })
  })

  it('reads and signs for reading', async () => {
    const store = memory({ signing })
    await store.upload('a', 'text')
    const files = readOnly(store)
    expect(await (await files.download('a')).text()).toBe('text')
    expect((await files.signedUrl('a', { expiresIn: 60 })).method).toBe('GET')
  })

  it('says so in its capabilities', () => {
    const { capabilities } = readOnly(memory({ signing }))
    expect(capabilities).toMatchObject({
      layers: ['readOnly'],
      writable: false,
      createOnly: false,
      signedUpload: false,
      signedUrl: { methods: ['GET', 'HEAD'] },
    })
  })

  it('takes no byte of a body and no key of a source', async () => {
    const taken: string[] = []
    const source = (async function* () {
      taken.push('taken')
      yield 'a'
    })()
    const files = readOnly(memory())
    await files.upload('a', source).catch(() => {})
    await files.deleteMany(source).catch(() => {})
    expect(taken).toEqual([])
  })

  it('lets no probe write', async () => {
    const store = memory()
    const unknown: { -readonly [Name in keyof Capabilities]?: Capabilities[Name] } = { createOnly: 'unknown' }
    let probed = 0
    const inner = forward(store, {
      get capabilities() {
        return { ...store.capabilities, ...unknown }
      },
      async probe() {
        probed++
        return store.capabilities
      },
    })
    await readOnly(inner).probe()
    expect(probed).toBe(0)
    unknown.conditionalRead = 'unknown'
    await readOnly(inner).probe()
    expect(probed).toBe(1)
  })
})
