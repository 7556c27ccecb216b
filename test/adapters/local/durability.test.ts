import { readlinkSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { theRoot } from './a-root.ts'

/** What was brought to the disk, in order: paths below the root, by the handle's descriptor (Linux). */
const synced: string[] = []
let top = ''

describe('durability', () => {
  const root = theRoot()

  beforeEach(async context => {
    if (process.platform !== 'linux') context.skip('synced files are told by /proc, which only Linux has')
    synced.length = 0
    top = await root.path()
    const handle = await open(top)
    const prototype = Object.getPrototypeOf(handle) as FileHandle
    await handle.close()
    for (const method of ['sync', 'datasync'] as const) {
      const real = prototype[method]
      vi.spyOn(prototype, method).mockImplementation(async function (this: FileHandle) {
        synced.push(readlinkSync(`/proc/self/fd/${this.fd}`).replace(top, '') || '/')
        return real.call(this)
      })
    }
  })

  afterEach(() => vi.restoreAllMocks())

  const anAttributeFile = /^\/\.stowage\/meta\/..\/[0-9a-f]{40}\.\d+\.\d+$/
  const aBody = /^\/\.stowage\/tmp\//

  it.each([
    ['bytes', () => 'hello'],
    [
      'a stream',
      async function* () {
        yield 'hello'
      },
    ],
  ])('brings %s, its attributes and all folders to the disk before an upload has ended', async (_, body) => {
    const files = await root.files({ durability: 'full' })
    await files.upload('a/b.txt', body())
    expect(synced).toContainEqual(expect.stringMatching(aBody))
    expect(synced).toContainEqual(expect.stringMatching(anAttributeFile))
    expect(synced).toContainEqual(expect.stringMatching(/^\/\.stowage\/meta\/..$/))
    // The folder that the file was renamed into, last, and the one in which that folder is new.
    expect(synced.at(-1)).toBe('/a')
    expect(synced).toContain('/')
  })

  it('syncs body and attributes before the rename makes them visible', async () => {
    const files = await root.files({ durability: 'full' })
    await files.upload('k', 'old')
    synced.length = 0
    await files.upload('k', 'new')
    const visible = synced.indexOf('/')
    const before = synced.slice(0, visible)
    expect(before.some(path => aBody.test(path))).toBe(true)
    expect(before.some(path => anAttributeFile.test(path))).toBe(true)
  })

  it('syncs the folder of what was deleted, moved or copied', async () => {
    const files = await root.files({ durability: 'full' })
    for (const key of ['x/one', 'x/two']) await files.upload(key, key)
    synced.length = 0
    await files.delete('x/one')
    expect(synced).toContain('/x')
    synced.length = 0
    await files.copy('x/two', 'y/two')
    expect(synced).toContain('/y')
    synced.length = 0
    await files.move('y/two', 'x/three')
    expect(synced).toContain('/x')
  })

  it('syncs neither bytes nor attributes with durability process', async () => {
    const files = await root.files({ durability: 'process' })
    await files.upload('a/b.txt', 'hello')
    await files.delete('a/b.txt')
    // What it makes once for the root is synced all the same.
    expect(synced.filter(path => path !== '/' && path !== '/.stowage/meta')).toEqual([])
  })

  it('is full unless asked otherwise', async () => {
    const files = await root.files({ durability: undefined })
    await files.upload('a/b.txt', 'hello')
    expect(synced.length).toBeGreaterThanOrEqual(4)
  })
})
