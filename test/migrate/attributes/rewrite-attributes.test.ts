import { describe, expect, it } from 'vitest'
import { parseByEnding, rewriteAttributes } from '../../../src/migrate/attributes/rewrite-attributes.ts'
import { hasCode } from '../../support/has-code.ts'

const info = {
  key: 'a/page.min.html',
  size: 3,
  etag: 'e',
  contentType: 'text/html',
  contentLanguage: 'de',
  metadata: { owner: 'me', origin: 'here' },
}

describe('rewriteAttributes', () => {
  it('sets what is given, and keeps all else', () => {
    const rewrite = rewriteAttributes({
      cacheControl: 'no-cache',
      metadata: { Origin: 'supabase', new: '1' },
    })
    expect(rewrite(info)).toEqual({
      contentType: 'text/html',
      contentLanguage: 'de',
      cacheControl: 'no-cache',
      metadata: { owner: 'me', origin: 'supabase', new: '1' },
    })
    expect(rewrite({ key: 'k', size: 0 })).toEqual({
      cacheControl: 'no-cache',
      metadata: { origin: 'supabase', new: '1' },
    })
  })

  it('goes by the longest end of a key', () => {
    const texts = ['.html=no-cache', '.min.html=max-age=60', 'public']
    const rewrite = rewriteAttributes({ cacheControl: parseByEnding(texts) })
    const of = (key: string) => rewrite({ key, size: 0 }).cacheControl
    expect(['a.html', 'a.min.html', 'a.css'].map(of)).toEqual(['no-cache', 'max-age=60', 'public'])
    const some = rewriteAttributes({ contentType: { '.md': 'text/markdown; charset=utf-8' } })
    expect(some(info).contentType).toBe('text/html')
    expect(some({ ...info, key: 'a.md' }).contentType).toBe('text/markdown; charset=utf-8')
  })

  it('reads a value with an equals sign as one for all', () => {
    expect(parseByEnding(['public, max-age=60'])).toEqual({ '': 'public, max-age=60' })
    expect(parseByEnding(['text/html; charset=utf-8'])).toEqual({ '': 'text/html; charset=utf-8' })
  })

  it('refuses two values for the same keys, and an attribute that there is not', () => {
    const refused = expect.toSatisfy(hasCode('invalid-argument'))
    expect(() => parseByEnding(['.a=1', '.a=2'])).toThrow(refused)
    expect(() => parseByEnding(['no-cache', 'public'])).toThrow(refused)
    expect(() => rewriteAttributes({ cacheContrl: 'x' } as never)).toThrow(refused)
  })
})
