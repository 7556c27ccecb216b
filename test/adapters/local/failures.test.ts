import { chmod, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { refused } from '../../support/refused.ts'
import { smallDisk } from '../../support/small-disk.ts'
import { keysOf, theRoot } from './a-root.ts'
import { theWorkers } from './workers.ts'

const MIB = 1 << 20
const isRoot = process.getuid?.() === 0
const small = await smallDisk()
await small?.remove()

async function* chunks(count: number, between?: (i: number) => void) {
  for (let i = 0; i < count; i++) {
    between?.(i)
    yield Buffer.alloc(65_536, i)
  }
}

describe('local storage that fails', () => {
  const root = theRoot()
  const workers = theWorkers()

  it('needs no root to read, and makes none by it', async () => {
    const files = await root.files({ root: await root.path('not', 'yet') })
    expect(await files.exists('a')).toBe(false)
    expect(await keysOf(files)).toEqual([])
    expect(await files.delete('a')).toMatchObject({ status: 'missing' })
    await expect(files.copy('a', 'b')).rejects.toSatisfy(hasCode('not-found'))
    await expect(stat(await root.path('not'))).rejects.toMatchObject({ code: 'ENOENT' })
    await files.upload('a', 'x')
    expect(await keysOf(files)).toEqual(['a'])
  })

  // Only Linux tells which files a process has open.
  it.runIf(process.platform === 'linux')('leaves none open that was asked for and given up', async () => {
    const files = await root.files()
    await files.upload('a', 'x')
    // A file that nobody closes is closed when memory is collected, which Node warns of.
    const warnings: Error[] = []
    const onWarning = (warning: Error) => void warnings.push(warning)
    process.on('warning', onWarning)
    onTestFinished(() => void process.off('warning', onWarning))
    const path = await root.path()
    const open = async () => {
      const names = await readdir('/proc/self/fd')
      const links = await Promise.all(names.map(name => readlink(`/proc/self/fd/${name}`).catch(() => '')))
      return links.filter(link => link.startsWith(path))
    }
    for (let i = 0; i < 20; i++) {
      const given = new AbortController()
      const download = files.download('a', { signal: given.signal })
      // At different moments of the opening.
      for (let turns = 0; turns < i; turns++) await null
      given.abort()
      await download.then(
        download => download.cancel(),
        error => expect(error).toSatisfy(hasCode('aborted')),
      )
    }
    await expect.poll(open).toEqual([])
    expect(warnings).toEqual([])
  })

  it('says that its root is a file', async () => {
    const path = await root.path('file')
    await writeFile(path, 'x')
    const files = local({ root: path })
    const error = await files.upload('a', 'x').catch(error => error)
    expect(error).toMatchObject({ code: 'invalid-argument', provider: 'local' })
    expect(error.message).toContain(path)
    expect(await files.exists('a')).toBe(false)
    await expect(keysOf(files)).rejects.toSatisfy(hasCode('invalid-argument'))
  })

  it.each([
    {},
    { root: '' },
    { root: 'a\0b' },
    { root: 'x', durability: 'none' },
    { root: 'x', sync: true },
    { root: 'x', now: 5 },
  ])('refuses the options %j', options => {
    expect(() => local(options as never)).toThrow(/^local: /)
  })

  it.each([null, 'a-secret-of-some-length', { baseUrl: 'http://host', secrets: [] }])(
    'refuses the signing %j',
    signing => {
      expect(() => local({ root: 'x', signing: signing as never })).toThrow(refused(/^signing: /))
    },
  )

  it('refuses a key whose path is longer than the system takes, and stores nothing', async () => {
    const deep = `${'d'.repeat(200)}/`.repeat(16)
    await mkdir(await root.path(deep), { recursive: true })
    const files = await root.files({ root: await root.path(deep) })
    await expect(files.upload('é'.repeat(510), 'x')).rejects.toSatisfy(hasCode('invalid-key'))
    expect(await keysOf(files)).toEqual([])
  })

  it.skipIf(isRoot)(
    'says that the system denies it [skipped: run as root, whom nothing is denied]',
    async () => {
      const files = await root.files()
      await files.upload('a/b', 'x')
      await chmod(await root.path('a'), 0o500)
      await expect(files.upload('a/b', 'y')).rejects.toSatisfy(hasCode('permission-denied'))
      await expect(files.delete('a/b')).rejects.toSatisfy(hasCode('permission-denied'))
      await chmod(await root.path('a'), 0o700)
      expect(await (await files.download('a/b')).text()).toBe('x')
    },
  )

  it('keeps the old object when a file gets larger than the system allows', async () => {
    const files = await root.files()
    await files.upload('k/object', 'old')
    const limited = ['sh', '-c', 'ulimit -f 2048; exec "$@"', 'sh']
    const { answer } = await workers.start('large', await root.path(), 8 * MIB, limited).ended
    expect(answer).toMatchObject({ code: 'too-large' })
    expect(await (await files.download('k/object')).text()).toBe('old')
    expect((await root.own()).tmp).toEqual([])
  })

  it.skipIf(small === undefined)(
    'keeps the old object on a full disk, and no part of the new [skipped: mounting a small disk needs root]',
    async () => {
      const disk = (await smallDisk())!
      try {
        const files = local({ root: disk.path })
        await files.upload('a', 'old')
        for (const body of [Buffer.alloc(10 * MIB), chunks(160)])
          await expect(files.upload('a', body)).rejects.toMatchObject({
            code: 'unavailable',
            retryable: false,
          })
        await files.upload('half', Buffer.alloc(5 * MIB))
        await expect(files.copy('half', 'a')).rejects.toMatchObject({ code: 'unavailable' })
        expect(await (await files.download('a')).text()).toBe('old')
        await files.delete('half')
        await files.upload('a', Buffer.alloc(6 * MIB))
        await files.close()
      } finally {
        await disk.remove()
      }
    },
  )

  it('leaves nothing of an upload that is aborted, and the old object', async () => {
    const files = await root.files()
    await files.upload('a/b', 'old', { metadata: { v: '1' } })
    for (const at of [0, 1, 30]) {
      const controller = new AbortController()
      const body = chunks(40, i => {
        if (i === at) controller.abort()
      })
      await expect(files.upload('a/b', body, { signal: controller.signal })).rejects.toSatisfy(
        hasCode('aborted'),
      )
      await expect(files.upload('c/d', chunks(3), { signal: controller.signal })).rejects.toSatisfy(
        hasCode('aborted'),
      )
    }
    expect(await root.entries()).toEqual(['a', 'a/b'])
    const { tmp, locks, meta } = await root.own()
    expect([tmp, locks, meta.length]).toEqual([[], [], 1])
    expect(await files.info('a/b')).toMatchObject({ metadata: { v: '1' } })
  })

  it('reads on in the old bytes when the object is replaced or deleted meanwhile', async () => {
    const files = await root.files()
    await files.upload('a', chunks(64))
    const reader = (await files.download('a'))[Symbol.asyncIterator]()
    const first = await reader.next()
    await files.upload('a', 'new')
    await files.delete('a')
    let bytes = first.value!.length
    for (let step = await reader.next(); !step.done; step = await reader.next()) bytes += step.value.length
    expect(bytes).toBe(4 * MIB)
  })

  it('notices a file that another tool cuts short while it is read', async () => {
    const files = await root.files()
    await files.upload('a', chunks(64))
    const download = await files.download('a')
    await writeFile(await root.path('a'), 'cut')
    await expect(download.bytes()).rejects.toSatisfy(hasCode('unavailable'))
  })

  it('works again after somebody removed its own folder', async () => {
    const files = await root.files()
    await files.upload('a', 'old')
    await rm(await root.path('.stowage'), { recursive: true })
    await files.upload('a', 'new')
    expect(await readFile(await root.path('a'), 'utf8')).toBe('new')
    expect(await (await files.download('a')).text()).toBe('new')
  })

  it('holds no file open of downloads that ended, were cancelled or left early', async () => {
    const { readdir } = await import('node:fs/promises')
    const open = async () => (await readdir('/proc/self/fd').catch(() => [])).length
    const files = await root.files()
    await files.upload('a', chunks(64))
    const before = await open()
    for (let i = 0; i < 20; i++) {
      await (await files.download('a')).bytes()
      ;(await files.download('a')).cancel()
      for await (const _ of await files.download('a')) break
      await files.download('a', { ifMatch: 'other' }).catch(() => {})
      await files.download('a', { range: { start: 5 * MIB } }).catch(() => {})
    }
    await expect.poll(open).toBeLessThanOrEqual(before)
  })
})
