/** Links of the documents to each other: a page that was renamed, a heading that was changed. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../package/packed-package.ts'

const pages = [
  ...readdirSync(root).filter(name => name.endsWith('.md')),
  ...['docs', 'examples'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.md') && !path.startsWith('files/'))
      .map(path => join(folder, path)),
  ),
]

describe('the links of', () => {
  test.each(pages)('%s lead somewhere', page => {
    expect(brokenLinks(page, readFileSync(join(root, page), 'utf8'))).toEqual([])
  })

  test('a page that is wrong are found out', () => {
    const page = '[a](no-such.md) [b](README.md#no-such-heading) [c](README.md) [d](https://example.org)'
    expect(brokenLinks('CONTRIBUTING.md', page)).toEqual(['no-such.md', 'README.md#no-such-heading'])
  })
})

function brokenLinks(page: string, text: string): string[] {
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1]!)
  return links.filter(link => !/^[a-z]+:/.test(link) && !leadsSomewhere(page, link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', heading] = link.split('#')
  const target = path === '' ? join(root, page) : join(root, dirname(page), path)
  if (!existsSync(target) || relative(root, target).startsWith('..')) return false
  if (heading === undefined || !statSync(target).isFile() || !target.endsWith('.md')) return true
  return headingsOf(readFileSync(target, 'utf8')).includes(heading)
}

/** As GitHub names them. */
function headingsOf(page: string): string[] {
  const titles = [...withoutBlocks(page).matchAll(/^#+ (.+)$/gm)].map(match => match[1]!)
  return titles.map(title =>
    title
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutBlocks(page: string): string {
  return page.replaceAll(/^```[\s\S]*?^```$/gm, '')
}

function withoutCode(page: string): string {
  return withoutBlocks(page).replaceAll(/`[^`\n]*`/g, '')
}
