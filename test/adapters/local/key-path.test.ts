import { describe, expect, it } from 'vitest'
import { KeyPaths } from '../../../src/adapters/local/key-path.ts'

const NAMED: [key: string, path: string][] = [
  ['a/photo.jpg', 'a/photo.jpg'],
  ['Ünïcode ☺/😀 100%.txt', 'Ünïcode ☺/😀 100%.txt'],
  ['test%46.txt', 'test%46.txt'],
  ['a/b%2Fc', 'a/b%2Fc'],
  ['line\nend', 'line%0Aend'],
  ['line%0Aend', 'line%250Aend'],
  ['line%250Aend', 'line%25250Aend'],
  ['%25', '%2525'],
  ['%', '%25'],
  ['a//b', 'a/%/b'],
  ['/', '%/%'],
  ['.stowage/meta', '%00.stowage/meta'],
  ['.Stowage', '%00.Stowage'],
  ['a/.stowage', 'a/.stowage'],
  ['%00.stowage', '%2500.stowage'],
  ['x%00object', 'x%2500object'],
]

describe('the path of a key', () => {
  const paths = new KeyPaths(false)

  it.each(NAMED)('of %j is %j', (key, path) => {
    expect(paths.own(key).path).toBe(path)
    expect(paths.keyOf(path.split('/'))).toBe(key)
  })

  it('splits what is longer than a file name may be', () => {
    const key = `a/${'é'.repeat(300)}/b`
    const { path } = paths.own(key)
    expect(path.split('/').length).toBe(5)
    for (const name of path.split('/')) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
    expect(paths.keyOf(path.split('/'))).toBe(key)
  })

  it('keeps a name of 255 bytes as it is, and finds room for its mark beside a folder', () => {
    const key = 'x'.repeat(255)
    expect(paths.own(key).path).toBe(key)
    const beside = paths.beside(key).path.split('/')
    for (const name of beside) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
    expect(paths.keyOf(beside)).toBe(key)
  })

  it('fits into what the system takes for any key', () => {
    for (const char of ['/', '\x01', '%', '%0', 'x', 'é', '😀'])
      expect(Buffer.byteLength(paths.beside(char.repeat(1024).slice(0, 1024)).path)).toBeLessThan(3300)
  })

  it('refuses names that no key of ours has', () => {
    expect(paths.keyOf(['raw\nline'])).toBeUndefined()
    expect(paths.keyOf(['%00photo.jpg'])).toBeUndefined()
    expect(paths.keyOf(['..', 'secret'])).toBeUndefined()
    expect(paths.keyOf(['short%00more', 'rest'])).toBeUndefined()
  })

  it.each([false, true])('is another one for every key, and leads back to it (Windows: %s)', windows => {
    const some = new KeyPaths(windows)
    const pieces = [
      '%',
      '25',
      '0',
      '00',
      '0A',
      '\n',
      '/',
      'a',
      '%00',
      'object',
      'more',
      '%00object',
      '%00more',
    ]
    pieces.push('.stowage', '.', ' ', 'con', '2E', '%2E', 'ü', '😀', 'x'.repeat(250), '\x7f', '7F', ':')
    const seen = new Map<string, string>()
    const random = seeded(7)
    for (let i = 0; i < 4000; i++) {
      const count = 1 + Math.floor(random() * 7)
      let key = ''
      for (let n = 0; n < count; n++) key += pieces[Math.floor(random() * pieces.length)]
      if (Buffer.byteLength(key) > 1024 || /(?:^|\/)\.\.?(?:\/|$)/.test(key)) continue
      for (const { path } of [some.own(key), some.beside(key)]) {
        expect(seen.get(path) ?? key).toBe(key)
        seen.set(path, key)
        expect(some.keyOf(path.split('/'))).toBe(key)
        for (const name of path.split('/')) {
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
          expect(name).not.toMatch(windows ? /[\x00-\x1f<>:"|?*\\]|[. ]$|^con(?:\.|$)/i : /[\x00-\x1f\x7f]/)
        }
      }
    }
    expect(seen.size).toBeGreaterThan(4000)
  })
})

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
