import { execFile } from 'node:child_process'
import { link, mkdir, readFile, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { keysOf, theRoot } from './a-root.ts'

const run = promisify(execFile)

describe('the layout of a root', () => {
  const root = theRoot()

  it('keeps an object as the file of its key, with its bytes and nothing else', async () => {
    const files = await root.files()
    await files.upload('a/photo.jpg', 'bytes', { metadata: { by: 'me' } })
    expect(await readFile(await root.path('a', 'photo.jpg'), 'utf8')).toBe('bytes')
    expect(await root.entries()).toEqual(['a', 'a/photo.jpg'])
  })

  it('takes files of other tools for objects', async () => {
    const files = await root.files()
    await mkdir(await root.path('docs'))
    await writeFile(await root.path('docs', 'page.html'), '<p>')
    const info = await files.info('docs/page.html')
    expect(info).toMatchObject({ size: 3, contentType: 'text/html', metadata: {} })
    expect(info).not.toHaveProperty('checksum')
    expect(await keysOf(files)).toEqual(['docs/page.html'])
    expect(await (await files.download('docs/page.html', { ifMatch: info.etag! })).text()).toBe('<p>')
    await writeFile(await root.path('docs', 'page.html'), '<b>')
    await expect(files.delete('docs/page.html', { ifMatch: info.etag! })).rejects.toSatisfy(
      hasCode('precondition-failed'),
    )
    expect(await files.delete('docs/page.html')).toMatchObject({ status: 'deleted' })
    expect(await root.entries()).toEqual([])
  })

  it('gives a file that another tool has changed no attributes of its old bytes', async () => {
    const files = await root.files()
    const before = await files.upload('a.txt', 'old', { contentType: 'text/x-old', metadata: { v: '1' } })
    await writeFile(await root.path('a.txt'), 'changed')
    const info = await files.info('a.txt')
    expect(info).toMatchObject({ size: 7, contentType: 'text/plain', metadata: {} })
    expect(info.etag).not.toBe(before.etag)
  })

  it('finds the attributes again in a copy that keeps times, as a backup is', async () => {
    const files = await root.files()
    const before = await files.upload('a/b.txt', 'kept', { contentType: 'text/x-kept', metadata: { v: '1' } })
    const copy = await root.path('copy')
    await mkdir(copy)
    await run('cp', ['-a', await root.path('a'), await root.path('.stowage'), copy])
    const restored = local({ root: copy })
    expect(await restored.info('a/b.txt')).toEqual(before)
  })

  it('moves an object aside when a folder needs its name, with its attributes', async () => {
    const files = await root.files()
    const before = await files.upload('a', 'object', { metadata: { v: '1' } })
    await files.upload('a/b', 'in the folder')
    expect(await root.entries()).toEqual(['a', 'a%00object', 'a/b'])
    expect(await files.info('a')).toEqual(before)
    expect(await keysOf(files)).toEqual(['a', 'a/b'])
    await files.upload('a', 'replaced', { ifMatch: before.etag! })
    await files.delete('a/b')
    expect(await (await files.download('a')).text()).toBe('replaced')
    expect(await files.delete('a')).toMatchObject({ status: 'deleted' })
    expect(await root.entries()).toEqual([])
  })

  it('prefers a file in its own place to one beside it, and deletes both', async () => {
    const files = await root.files()
    await writeFile(await root.path('a%00object'), 'beside')
    await writeFile(await root.path('a'), 'own')
    expect(await keysOf(files)).toEqual(['a'])
    expect(await (await files.download('a')).text()).toBe('own')
    await files.delete('a')
    expect(await files.exists('a')).toBe(false)
  })

  it.each(['delete', 'move'])('leaves no empty folder behind after %s', async method => {
    const files = await root.files()
    await files.upload('a/b/c/d.txt', 'x')
    if (method === 'delete') await files.delete('a/b/c/d.txt')
    else await files.move('a/b/c/d.txt', 'e.txt')
    expect(await root.entries()).toEqual(method === 'delete' ? [] : ['e.txt'])
    expect((await root.own()).meta).toHaveLength(method === 'delete' ? 0 : 1)
    expect((await stat(await root.path())).isDirectory()).toBe(true)
  })

  it('moves one of two names of a file', async () => {
    const files = await root.files()
    const before = await files.upload('a', 'x', { metadata: { v: '1' } })
    await link(await root.path('a'), await root.path('b'))
    const after = await files.move('a', 'b')
    expect(after).toMatchObject({ key: 'b', metadata: { v: '1' }, checksum: before.checksum })
    expect(await root.entries()).toEqual(['b'])
    expect(await files.info('b')).toEqual(after)
  })

  it('moves an object into a folder of its own name, and out of it', async () => {
    const files = await root.files()
    await files.upload('a', 'x', { metadata: { v: '1' } })
    await files.move('a', 'a/b')
    expect(await keysOf(files)).toEqual(['a/b'])
    await files.move('a/b', 'a')
    expect(await keysOf(files)).toEqual(['a'])
    expect(await files.info('a')).toMatchObject({ metadata: { v: '1' } })
    await files.delete('a')
    expect(await root.entries()).toEqual([])
    expect(await root.own()).toEqual({ tmp: [], locks: [], meta: [] })
  })

  it('makes no folder for an upload that is refused', async () => {
    const files = await root.files()
    await expect(files.upload('a/b/c', 'x', { ifMatch: 'none' })).rejects.toSatisfy(
      hasCode('precondition-failed'),
    )
    expect(await root.entries()).toEqual([])
    expect(await root.own()).toEqual({ tmp: [], locks: [], meta: [] })
  })

  it('survives folders that come and go under it', async () => {
    const files = await root.files()
    const turns = Array.from({ length: 40 }, async (_, i) => {
      const key = `deep/er/${i % 4}`
      if (i % 2 === 0) await files.upload(key, String(i))
      else await files.delete(key)
    })
    await Promise.all(turns)
    await files.deleteMany(files.list())
    expect(await root.entries()).toEqual([])
    expect(await root.own()).toEqual({ tmp: [], locks: [], meta: [] })
  })

  it('keeps one set of attributes for an object that is written again and again', async () => {
    const files = await root.files({ now: () => 1_700_000_000_000 })
    await Promise.all(Array.from({ length: 30 }, (_, i) => files.upload('same', `${i}`.padStart(4))))
    expect((await root.own()).meta).toHaveLength(1)
    const info = await files.info('same')
    expect(info.lastModified).toEqual(new Date(1_700_000_000_000))
  })

  it('tells two generations of one size, time and inode apart', async () => {
    const files = await root.files()
    const first = await files.upload('a', 'one', { metadata: { v: '1' } })
    const path = await root.path('a')
    const { mtimeMs } = await stat(path)
    await files.upload('b', 'two', { metadata: { v: '2' } })
    // As close as another tool can come: the other file's bytes under the name, with the time set back.
    await rename(await root.path('b'), path)
    await utimes(path, mtimeMs / 1000, mtimeMs / 1000)
    expect(await files.info('b').catch(error => error.code)).toBe('not-found')
    expect((await files.info('a')).size).toBe(first.size)
  })
})

describe('links and special files in a root', () => {
  const root = theRoot()

  it('are no objects, and no way out of it', async () => {
    const files = await root.files()
    await mkdir(await root.path('outside'))
    await writeFile(await root.path('outside', 'secret'), 'secret')
    const inner = local({ root: await root.path('inner'), durability: 'process' })
    await inner.upload('kept', 'x')
    await symlink(await root.path('outside'), await root.path('inner', 'folder'))
    await symlink(await root.path('outside', 'secret'), await root.path('inner', 'file'))
    await symlink('nowhere', await root.path('inner', 'dangling'))
    await run('mkfifo', [await root.path('inner', 'pipe')])
    for (const key of ['folder/secret', 'file', 'dangling', 'pipe', 'folder']) {
      expect(await inner.exists(key)).toBe(false)
      await expect(inner.download(key)).rejects.toSatisfy(hasCode('not-found'))
      await expect(inner.copy(key, 'copied')).rejects.toSatisfy(hasCode('not-found'))
      await expect(inner.upload(key, 'overwritten')).rejects.toSatisfy(hasCode('permission-denied'))
      await expect(inner.move('kept', key)).rejects.toSatisfy(hasCode('permission-denied'))
      expect(await inner.delete(key)).toMatchObject({ status: 'missing' })
    }
    expect(await keysOf(inner)).toEqual(['kept'])
    expect(await keysOf(inner, { prefix: 'folder/' })).toEqual([])
    expect(await keysOf(inner, { prefix: '../' })).toEqual([])
    expect(await readFile(await root.path('outside', 'secret'), 'utf8')).toBe('secret')
    expect(await keysOf(files, { prefix: 'outside' })).toEqual(['outside/secret'])
    expect(await readFile(await root.path('inner', 'kept'), 'utf8')).toBe('x')
  })

  it('are fine in the path of the root itself', async () => {
    await mkdir(await root.path('real'))
    await symlink(await root.path('real'), await root.path('link'))
    const files = local({ root: await root.path('link'), durability: 'process' })
    await files.upload('a', 'x')
    expect(await keysOf(files)).toEqual(['a'])
    expect(await readFile(await root.path('real', 'a'), 'utf8')).toBe('x')
  })

  it('keep the adapter from using a folder of its own that was swapped for a link', async () => {
    await mkdir(await root.path('outside'))
    await mkdir(await root.path('inner'))
    await symlink(await root.path('outside'), await root.path('inner', '.stowage'))
    const files = local({ root: await root.path('inner') })
    await expect(files.upload('a', 'x')).rejects.toSatisfy(hasCode('permission-denied'))
  })
})
