import { describe, expect, it } from 'vitest'
import { objectFilter } from '../../../src/migrate/filters/object-filter.ts'
import type { ObjectFilters } from '../../../src/migrate/migrate-options.ts'

async function passing(filters: ObjectFilters, keys: readonly string[]): Promise<string[]> {
  const passes = await objectFilter(filters)
  return keys.filter(key => passes({ key, size: 10, lastModified: new Date(1000) }))
}

describe('the filter of objects', () => {
  const keys = [
    'a.jpg',
    'photos/b.jpg',
    'photos/2024/c.jpg',
    'photos/.hidden/d.png',
    'B.JPG',
    'x[1]/e',
    'w\\in',
  ]

  it.each<[string, string[]]>([
    ['*.jpg', ['a.jpg']],
    ['**/*.jpg', ['a.jpg', 'photos/b.jpg', 'photos/2024/c.jpg']],
    ['photos/*', ['photos/b.jpg']],
    ['photos/**', ['photos/b.jpg', 'photos/2024/c.jpg', 'photos/.hidden/d.png']],
    ['?.jpg', ['a.jpg']],
    ['*.{jpg,JPG}', ['a.jpg', 'B.JPG']],
    ['[AB].JPG', ['B.JPG']],
    ['x[1]/e', ['x[1]/e']],
    ['**/*.png', ['photos/.hidden/d.png']],
    ['photos', []],
    ['w\\in', ['w\\in']],
  ])('holds the glob %s against the whole key', async (glob, expected) => {
    expect(await passing({ include: [glob] }, keys)).toEqual(expected)
    expect(await passing({ exclude: [glob] }, keys)).toEqual(keys.filter(key => !expected.includes(key)))
  })

  it('holds an expression against any part, and remembers nothing from key to key', async () => {
    expect(await passing({ include: [/\d/g] }, keys)).toEqual(['photos/2024/c.jpg', 'x[1]/e'])
    const same = ['2a', '2b', '2c']
    expect(await passing({ include: [/2/y] }, same)).toEqual(same)
  })

  it('lets pass what every limit lets pass', async () => {
    const passes = await objectFilter({
      prefix: 'p/',
      include: ['**/*.jpg', /png$/],
      exclude: [/secret/],
      minSizeBytes: 10,
      maxSizeBytes: 20,
      modifiedAfter: new Date(1000),
      modifiedBefore: new Date(3000),
    })
    const good = { key: 'p/a.jpg', size: 10, lastModified: new Date(2000) }
    expect(passes(good)).toBe(true)
    expect(passes({ ...good, key: 'p/a.png', size: 20 })).toBe(true)
    for (const change of [
      { key: 'q/a.jpg' },
      { key: 'p/a.gif' },
      { key: 'p/secret.jpg' },
      { size: 9 },
      { size: 21 },
      { lastModified: new Date(1000) },
      { lastModified: new Date(3000) },
      { lastModified: undefined },
    ])
      expect(passes({ ...good, ...change })).toBe(false)
  })
})
