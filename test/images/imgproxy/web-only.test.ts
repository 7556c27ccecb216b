import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { imgproxy } from '../../../src/images/imgproxy/index.ts'

const ENTRY = new URL('../../../src/images/imgproxy/index.ts', import.meta.url).pathname
const BUILDER = { url: 'https://img.example.org', key: '736563726574', salt: '68656c6c6f' }
const SOURCE = 's3://photos/写真.jpg'

let bundle: string
/** A place with WebCrypto and what browsers have beside it: no process, no Buffer, no require. */
let place: ReturnType<typeof createContext>

beforeAll(async () => {
  // Fails where the entry imports a module of Node.
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'stowage',
    platform: 'browser',
  })
  bundle = outputFiles[0]!.text
  place = createContext({ crypto: globalThis.crypto, TextEncoder, URL, btoa, Uint8Array, Promise })
  runInContext(bundle, place)
})

const there = (code: string): Promise<unknown> => runInContext(code, place) as Promise<unknown>

describe('where there is only WebCrypto', () => {
  test('the entry loads, and the twin gives the same URLs', async () => {
    const images = `stowage.imgproxyAsync(${JSON.stringify(BUILDER)})`
    const wish = { width: 400, filename: '猫' }
    const expected = imgproxy(BUILDER).url(SOURCE, wish)
    expect(await there(`${images}.url(${JSON.stringify(SOURCE)}, ${JSON.stringify(wish)})`)).toBe(expected)
    expect(await there(`${images}.preset(${JSON.stringify(wish)})(${JSON.stringify(SOURCE)})`)).toBe(expected)
    expect(await there(`${images}.verify(${JSON.stringify(expected)})`)).toBe(true)
    expect(await there(`${images}.verify(${JSON.stringify(`${expected}x`)})`)).toBe(false)
  })

  test('it encrypts as Node does, with a derived beginning', async () => {
    const builder = {
      ...BUILDER,
      edition: 'pro',
      sourceEncoding: 'encrypted',
      encryption: { key: '00112233445566778899aabbccddeeff' },
    } as const
    expect(
      await there(`stowage.imgproxyAsync(${JSON.stringify(builder)}).url(${JSON.stringify(SOURCE)})`),
    ).toBe(imgproxy(builder).url(SOURCE))
  })

  test('what is refused rejects', async () => {
    const images = `stowage.imgproxyAsync(${JSON.stringify(BUILDER)})`
    await expect(there(`${images}.url('photo.jpg')`)).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(there(`${images}.url('s3://a/b', { width: 1.5 })`)).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })

  test('the synchronous builder says which one to use', () => {
    expect(() => there(`stowage.imgproxy(${JSON.stringify(BUILDER)})`)).toThrow(
      expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('imgproxyAsync') }),
    )
  })

  test('the environment is asked for where there is none', () => {
    expect(() => there('stowage.imgproxyEnv()')).toThrow(
      expect.objectContaining({ message: expect.stringContaining('IMGPROXY_URL is missing') }),
    )
  })
})

test('without WebCrypto it says where there is one', async () => {
  const bare = createContext({ TextEncoder, URL, btoa })
  runInContext(bundle, bare)
  const code = `stowage.imgproxyAsync(${JSON.stringify(BUILDER)}).url('s3://photos/a.jpg')`
  await expect(runInContext(code, bare)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('https pages'),
  })
})
