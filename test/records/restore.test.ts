import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, recorded } from '../support/recorded.ts'

const DAY = 86_400_000

describe('restoring deleted files', () => {
  it('keeps a deleted file’s bytes under another key, so that its URLs die at once', async () => {
    const { files, stored } = recorded({ restoreMs: 7 * DAY })
    const { etag } = await files.upload('a/photo.jpg', 'bytes')
    await files.delete('a/photo.jpg')
    const [trashed] = await stored()
    expect(trashed).toMatch(new RegExp(`^default/\\.stowage/trash/.*${etag}$`))
    expect(await files.exists('a/photo.jpg')).toBe(false)
  })

  it('restores it to a key that was never handed out, with all it had', async () => {
    const { files, stored, now, advance } = recorded({ restoreMs: 7 * DAY })
    const before = await files.upload('a/photo.jpg', 'bytes', { metadata: { album: 'summer' } })
    await files.delete('a/photo.jpg')
    const [deleted] = await files.deleted({ prefix: 'a/' })
    expect(deleted).toMatchObject({
      generation: before.etag,
      info: { key: 'a/photo.jpg', size: 5 },
      deletedAt: new Date(now()),
      expiresAt: new Date(now() + 7 * DAY),
    })
    const after = await files.restore('a/photo.jpg')
    expect(after).toMatchObject({ size: 5, metadata: { album: 'summer' }, checksum: before.checksum })
    expect(after.etag).not.toBe(before.etag)
    expect(await (await files.download('a/photo.jpg')).text()).toBe('bytes')
    expect(await files.deleted()).toEqual([])
    await files.recover()
    expect(await stored()).toEqual([`default/a/photo.${after.etag}.jpg`])
    // A copy to the trash that was asked for twice may arrive late: its place is swept once more.
    expect(await files.jobs()).toMatchObject([{ kind: 'tombstone' }])
    advance(2 * DAY)
    await files.recover()
    expect(await files.jobs()).toEqual([])
  })

  it('is already-exists over a live file, and the deleted one stays restorable', async () => {
    const { files } = recorded({ restoreMs: 7 * DAY })
    await files.upload('a.txt', 'old')
    await files.delete('a.txt')
    await files.upload('a.txt', 'new')
    await expect(files.restore('a.txt')).rejects.toSatisfy(hasCode('already-exists'))
    await files.move('a.txt', 'b.txt')
    await files.restore('a.txt')
    expect(await (await files.download('a.txt')).text()).toBe('old')
  })

  it('restores the one deleted last, or the one that is named', async () => {
    const { files, advance } = recorded({ restoreMs: 7 * DAY })
    const first = await files.upload('a.txt', 'first')
    await files.delete('a.txt')
    advance(1000)
    await files.upload('a.txt', 'second')
    await files.delete('a.txt')
    await files.restore('a.txt')
    expect(await (await files.download('a.txt')).text()).toBe('second')
    await files.delete('a.txt')
    await files.restore('a.txt', { generation: first.etag! })
    expect(await (await files.download('a.txt')).text()).toBe('first')
  })

  it('forgets a deleted file when its time has come, and then restores nothing', async () => {
    const { files, stored, advance } = recorded({ restoreMs: 7 * DAY })
    await files.upload('a.txt', 'bytes')
    await files.delete('a.txt')
    advance(7 * DAY - 1000)
    await files.recover()
    expect(await files.deleted()).toHaveLength(1)
    advance(2000)
    await files.recover()
    expect(await files.deleted()).toEqual([])
    expect(await stored()).toEqual([])
    await expect(files.restore('a.txt')).rejects.toSatisfy(hasCode('not-found'))
  })

  it('leaves the file alone where the copy to the trash fails: nothing is deleted before it', async () => {
    const { files, stored, advance } = recorded({
      restoreMs: DAY,
      patienceMs: 0,
      through: changed(inner => {
        let failures = 2
        return {
          copy(from, to, options) {
            if (to.includes('trash') && failures-- > 0)
              return Promise.reject(new StorageError('unavailable', 'copy: no answer'))
            return inner.copy(from, to, options)
          },
        }
      }),
    })
    const { etag } = await files.upload('a.txt', 'bytes')
    await expect(files.delete('a.txt')).rejects.toSatisfy(hasCode('pending'))
    expect(await stored()).toEqual([`default/a.${etag}.txt`])
    await expect(files.restore('a.txt')).rejects.toSatisfy(hasCode('not-found'))
    advance(60_000)
    await files.recover()
    advance(60_000)
    await files.recover()
    expect(await stored()).toEqual([expect.stringContaining('default/.stowage/trash/')])
    await files.restore('a.txt')
  })

  it('brings a file back that the store refuses to delete, and keeps no copy of it', async () => {
    const { files, stored, advance } = recorded({
      restoreMs: DAY,
      through: changed(inner => ({
        async deleteMany(keys, options) {
          const all: { key: string }[] = []
          for await (const key of keys) all.push(typeof key === 'string' ? { key } : (key as { key: string }))
          if (all.some(({ key }) => key.endsWith('.txt')))
            return all.map(({ key }) => ({
              key,
              status: 'error' as const,
              error: new StorageError('permission-denied', 'delete: not allowed'),
            }))
          return inner.deleteMany(all, options)
        },
      })),
    })
    const { etag } = await files.upload('a.txt', 'bytes')
    await expect(files.delete('a.txt')).rejects.toSatisfy(hasCode('permission-denied'))
    expect(await files.exists('a.txt')).toBe(true)
    expect(await files.deleted()).toEqual([])
    await files.recover()
    expect(await stored()).toEqual([`default/a.${etag}.txt`])
    advance(2 * DAY)
    await files.recover()
    expect(await files.jobs()).toEqual([])
  })

  it('keeps it as long as the process wanted that deleted it, whoever finishes the deletion', async () => {
    let down = true
    const { files, another, advance } = recorded({
      restoreMs: 7 * DAY,
      keepForBackupsMs: DAY,
      patienceMs: 0,
      through: changed(inner => ({
        copy: (from, to, options) =>
          down
            ? Promise.reject(new StorageError('unavailable', 'copy: no answer'))
            : inner.copy(from, to, options),
      })),
    })
    await files.upload('a.txt', 'bytes')
    await expect(files.delete('a.txt')).rejects.toSatisfy(hasCode('pending'))
    down = false
    advance(60_000)
    // As a command line does, which knows nothing of the application's options.
    const other = another({ restoreMs: 0, keepForBackupsMs: 0 })
    await other.recover()
    advance(8 * DAY - 1000)
    await other.recover()
    await files.restore('a.txt')
    expect(await (await files.download('a.txt')).text()).toBe('bytes')
  })

  it('gives up nothing that the store only may not show: it goes to the trash once it is seen', async () => {
    let hidden = false
    const notFound = () => Promise.reject(new StorageError('not-found', 'nothing is stored under this key'))
    const { files, advance } = recorded({
      restoreMs: DAY,
      patienceMs: 0,
      seesEverything: false,
      through: changed(inner => ({
        copy: (from, to, options) => (hidden ? notFound() : inner.copy(from, to, options)),
        info: (key, options) => (hidden ? notFound() : inner.info(key, options)),
        async deleteMany(keys, options) {
          if (!hidden) return inner.deleteMany(keys, options)
          return [...(keys as Iterable<{ key: string }>)].map(({ key }) => ({
            key,
            status: 'missing' as const,
          }))
        },
      })),
    })
    await files.upload('a.txt', 'bytes')
    hidden = true
    await expect(files.delete('a.txt')).rejects.toSatisfy(hasCode('pending'))
    hidden = false
    advance(60_000)
    await files.recover()
    await files.restore('a.txt')
    expect(await (await files.download('a.txt')).text()).toBe('bytes')
  })
})
