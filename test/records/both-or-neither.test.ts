/** What readers see, what is put and checked, who may publish, and what stays: sentence by sentence. */
import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { UnfinishedUpload } from '../../src/core/provider.ts'
import { unfinishedUploadsOf } from '../../src/core/unfinished-uploads.ts'
import type { RecordedFiles } from '../../src/records/index.ts'
import { hasCode } from '../support/has-code.ts'
import { changed, type Recorded, recorded } from '../support/recorded.ts'

const MINUTE = 60_000

/** What a reader can find out about a key, each way of asking by its name; `undefined` where it finds nothing. */
async function seenBy(files: RecordedFiles, key: string) {
  const found = (error: StorageError) => {
    if (error.code !== 'not-found') throw error
    return undefined
  }
  const listed: string[] = []
  for await (const entry of files.list()) if (entry.kind === 'object') listed.push(entry.key)
  const matching: string[] = []
  for await (const entry of files.find()) if (entry.kind === 'object') matching.push(entry.key)
  const [many] = await files.infoMany([key])
  const [url] = await files.signedUrls([key], { expiresIn: 60 })
  return {
    exists: (await files.exists(key)) || undefined,
    info: await files.info(key).then(info => info.key, found),
    infoMany: many?.ok ? many.key : undefined,
    list: listed.find(name => name === key),
    find: matching.find(name => name === key),
    bytes: await files.download(key).then(download => download.text(), found),
    signedUrl: await files.signedUrl(key, { expiresIn: 60 }).then(() => key, found),
    signedUrls: url?.ok ? url.key : undefined,
    physicalKey: await files.physicalKey(key).then(() => key, found),
  }
}

const NOTHING = Object.fromEntries(
  ['exists', 'info', 'infoMany', 'list', 'find', 'bytes', 'signedUrl', 'signedUrls', 'physicalKey'].map(
    name => [name, undefined],
  ),
)

/** Stops the first call of `name` before its effect, until it is let go. */
function gate() {
  let reach: () => void = () => {}
  let open: () => void = () => {}
  const reached = new Promise<void>(resolve => {
    reach = resolve
  })
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  let calls = 0
  return {
    reached,
    open: () => open(),
    async pass() {
      if (calls++ > 0) return
      reach()
      await opened
    },
  }
}

describe('a reader', () => {
  it('sees nothing of a file whose bytes are there and not published', async () => {
    let meanwhile: unknown
    const world = recorded({
      through: changed(inner => ({
        async upload(key, body, options) {
          const info = await inner.upload(key, body, options)
          meanwhile = await seenBy(world.files, 'a.txt')
          return info
        },
      })),
    })
    await world.files.upload('a.txt', 'bytes')
    expect(meanwhile).toEqual(NOTHING)
    expect(Object.values(await seenBy(world.files, 'a.txt'))).not.toContain(undefined)
  })

  it('sees nothing of a file that is being deleted, in whatever way it asks', async () => {
    let meanwhile: unknown
    const world = recorded({
      through: changed(inner => ({
        async deleteMany(keys, options) {
          meanwhile = await seenBy(world.files, 'a.txt')
          return inner.deleteMany(keys, options)
        },
      })),
    })
    await world.files.upload('a.txt', 'bytes')
    await world.files.delete('a.txt')
    expect(meanwhile).toEqual(NOTHING)
  })

  it('sees no object that has no record', async () => {
    const { files, store } = recorded()
    await store.upload('default/a.txt', 'a stranger’s')
    expect(await seenBy(files, 'a.txt')).toEqual(NOTHING)
  })

  it('gets the given name from a signed URL, never the physical one', async () => {
    const { files, store } = recorded()
    await files.upload('a/photo.jpg', 'bytes')
    const physical = await files.physicalKey('a/photo.jpg')
    expect((await store.info(physical)).contentDisposition).toBe('inline; filename="photo.jpg"')
    const { url } = await files.signedUrl('a/photo.jpg', { expiresIn: 60, download: true })
    const same = await store.signedUrl(physical, { expiresIn: 60, download: 'photo.jpg' })
    expect(url).toBe(same.url)
  })
})

describe('an upload', () => {
  it.each([true, 'unknown'] as const)(
    'is put only where nothing lies, where the store keeps that (%s)',
    async createOnly => {
      const conditions: unknown[] = []
      const { files } = recorded({
        through: changed(inner => ({
          get capabilities() {
            return { ...inner.capabilities, createOnly }
          },
          upload(key, body, options) {
            conditions.push(options?.ifNoneMatch)
            return inner.upload(key, body, options)
          },
        })),
      })
      await files.upload('a.txt', 'one')
      await files.upload('a.txt', 'two')
      expect(conditions).toEqual(createOnly === true ? ['*', '*'] : [undefined, undefined])
    },
  )

  it('publishes nothing where the store has other bytes, of the same number', async () => {
    const { files, stored } = recorded({
      through: changed(inner => ({ upload: (key, _, options) => inner.upload(key, 'bytez', options) })),
    })
    await expect(files.upload('a.txt', 'bytes')).rejects.toSatisfy(hasCode('checksum-mismatch'))
    expect(await seenBy(files, 'a.txt')).toEqual(NOTHING)
    expect(await stored()).toEqual([])
  })

  it('publishes nothing where the bytes are not what the caller said', async () => {
    const { files, stored } = recorded()
    const checksum = { algorithm: 'md5', value: '0'.repeat(32) } as const
    await expect(files.upload('a.txt', 'bytes', { checksum })).rejects.toSatisfy(hasCode('checksum-mismatch'))
    async function* chunks() {
      yield new TextEncoder().encode('bytes')
    }
    await expect(files.upload('a.txt', chunks(), { checksum })).rejects.toSatisfy(
      hasCode('checksum-mismatch'),
    )
    expect(await seenBy(files, 'a.txt')).toEqual(NOTHING)
    expect(await stored()).toEqual([])
  })

  it('leaves the URLs of what it replaced alive for 15 minutes, where nothing else is said', async () => {
    const { files, stored, advance } = recorded()
    const { etag } = await files.upload('a.txt', 'old')
    await files.upload('a.txt', 'new')
    advance(15 * MINUTE - 1_000)
    await files.recover()
    expect(await stored()).toContain(`default/a.${etag}.txt`)
    advance(2_000)
    await files.recover()
    expect(await stored()).not.toContain(`default/a.${etag}.txt`)
  })

  it('wins that is published later, whichever began first', async () => {
    const { reached, open, pass } = gate()
    const world = recorded({
      through: changed(inner => ({
        async upload(key, body, options) {
          const info = await inner.upload(key, body, options)
          await pass()
          return info
        },
      })),
    })
    const first = world.files.upload('a.txt', 'began first')
    await reached
    await world.files.upload('a.txt', 'began second')
    expect(await (await world.files.download('a.txt')).text()).toBe('began second')
    open()
    const { etag } = await first
    expect(await world.files.info('a.txt')).toMatchObject({ etag })
    expect(await (await world.files.download('a.txt')).text()).toBe('began first')
  })

  it('is another generation under another key after a delete, too: nothing is counted from the beginning again', async () => {
    const { files, stored } = recorded()
    const seen = new Set<unknown>()
    for (let turn = 0; turn < 3; turn++) {
      seen.add((await files.upload('a.txt', 'same')).etag)
      for (const key of await stored()) seen.add(key)
      await files.delete('a.txt')
    }
    expect(seen.size).toBe(6)
  })
})

describe('what was given up', () => {
  const staged = async (world: Recorded, body: string) => {
    const { uploadId } = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await world.store.upload(`default/.stowage/staging/${uploadId}`, body)
    return uploadId!
  }

  it('is not finalized: not even by a call that had found it before', async () => {
    const world = recorded({
      through: changed(inner => ({
        async copy(from, to, options) {
          const info = await inner.copy(from, to, options)
          // Its URL and the slack are over, and another process sweeps it.
          world.advance(20 * MINUTE)
          await world.another().recover()
          return info
        },
      })),
    })
    const uploadId = await staged(world, 'bytes')
    await expect(world.files.finalize(uploadId)).rejects.toSatisfy(hasCode('not-found'))
    expect(await seenBy(world.files, 'a.txt')).toEqual(NOTHING)
    expect(await world.stored()).toEqual([])
  })

  it('is not restored: not even by a call that had found it before', async () => {
    let restoring = false
    const world = recorded({
      restoreMs: 10 * MINUTE,
      through: changed(inner => ({
        async copy(from, to, options) {
          const info = await inner.copy(from, to, options)
          if (!restoring) return info
          world.advance(11 * MINUTE)
          await world.another().recover()
          return info
        },
      })),
    })
    await world.files.upload('a.txt', 'bytes')
    await world.files.delete('a.txt')
    restoring = true
    await expect(world.files.restore('a.txt')).rejects.toSatisfy(hasCode('conflict'))
    expect(await seenBy(world.files, 'a.txt')).toEqual(NOTHING)
    expect(await world.stored()).toEqual([])
  })

  it('stays where a record refers to it, and somebody is told', async () => {
    const { files, engine, events, stored, advance } = recorded()
    await files.upload('a.txt', 'old')
    await files.upload('a.txt', 'new')
    // Not to be reached by any call: a journal that names the bytes of a live file.
    const physical = await files.physicalKey('a.txt')
    await engine.batch([[`UPDATE t_default__journal SET physical = ? WHERE kind = 'replaced'`, physical]])
    advance(16 * MINUTE)
    await files.recover()
    expect(await stored()).toContain(physical)
    expect(events).toContainEqual(expect.objectContaining({ kind: 'still-referred', severity: 'alarm' }))
    expect(await files.jobs()).toEqual([])
  })

  it('has its parts aborted, those that come late as well, and is watched as long as they keep coming', async () => {
    const parts: UnfinishedUpload[] = []
    let physical = ''
    let comeAgain = 0
    const begin = (key: string) => parts.push({ key, uploadId: `u${parts.length}`, startedAt: new Date(0) })
    const world = recorded({
      lateMs: 60 * MINUTE,
      through: changed(inner => ({
        get capabilities() {
          return { ...inner.capabilities, unfinishedUploads: true }
        },
        async upload(key) {
          physical = key
          for (const name of [key, key, `${key}.of-another`]) begin(name)
          throw new StorageError('unavailable', 'the connection broke')
        },
        unfinishedUploads: ({ prefix = '' } = {}) =>
          unfinishedUploadsOf(async function* () {
            yield parts.filter(({ key }) => key.startsWith(prefix))
          }),
        async abortUpload(key, uploadId) {
          if (comeAgain-- > 0) throw new StorageError('conflict', 'parts keep arriving')
          parts.splice(
            parts.findIndex(part => part.key === key && part.uploadId === uploadId),
            1,
          )
        },
      })),
    })
    await expect(world.files.upload('a.txt', 'bytes')).rejects.toSatisfy(hasCode('unavailable'))
    expect(parts.map(({ key }) => key)).toEqual([`${physical}.of-another`])
    begin(physical)
    comeAgain = 1
    for (const ended of [false, true]) {
      world.advance(61 * MINUTE)
      await world.files.recover()
      expect(await world.files.jobs()).toHaveLength(ended ? 0 : 1)
    }
    expect(parts.map(({ key }) => key)).toEqual([`${physical}.of-another`])
  })
})

describe('a file whose deletion is refused', () => {
  it('does not come back under a fence that is over: another process has gone on with it', async () => {
    const { reached, open, pass } = gate()
    const world = recorded({
      patienceMs: 0,
      leaseMs: 30_000,
      through: changed(() => ({
        async deleteMany() {
          // Refused here and there, so that nothing but the fence tells the one from the other.
          await pass()
          throw new StorageError('permission-denied', 'refused')
        },
      })),
    })
    await world.files.upload('a.txt', 'bytes')
    const deleting = world.files.delete('a.txt').catch(error => error)
    await reached
    const other = world.another()
    await other.recover()
    world.advance(31_000)
    expect(await other.recover()).toMatchObject({ worked: 1 })
    open()
    expect(await deleting).toSatisfy(hasCode('pending'))
    expect(await seenBy(world.files, 'a.txt')).toEqual(NOTHING)
    expect(await world.files.jobs()).toHaveLength(1)
  })
})

describe('copy and move onto a file', () => {
  it.each(['copy', 'move'] as const)(
    '%s leaves what was there for the grace; a move’s source goes at once',
    async name => {
      const { files, stored, advance } = recorded()
      const source = await files.upload('a.txt', 'a')
      const old = await files.upload('b.txt', 'b')
      const { etag } = await files[name]('a.txt', 'b.txt')
      const kept = [`default/b.${old.etag}.txt`, `default/b.${etag}.txt`]
      const before = name === 'copy' ? [`default/a.${source.etag}.txt`] : []
      expect((await stored()).sort()).toEqual([...before, ...kept].sort())
      advance(16 * MINUTE)
      await files.recover()
      expect(await stored()).toEqual([...before, `default/b.${etag}.txt`])
      expect(await (await files.download('b.txt')).text()).toBe('a')
    },
  )
})

describe('old bytes that are kept for backups', () => {
  it('are those of a replaced file, not those of a moved one: its path may have become private', async () => {
    const { files, stored } = recorded({ replaceGraceMs: 0, keepForBackupsMs: 86_400_000 })
    await files.upload('public.txt', 'a')
    const old = await files.upload('private.txt', 'b')
    const { etag } = await files.move('public.txt', 'private.txt')
    expect((await stored()).sort()).toEqual(
      [`default/private.${old.etag}.txt`, `default/private.${etag}.txt`].sort(),
    )
  })
})

describe('a finalized upload', () => {
  it('is what was checked, though other bytes of the same number were sent a moment later', async () => {
    const world = recorded({
      through: changed(inner => ({
        async info(key, options) {
          const info = await inner.info(key, options)
          if (key.includes('staging')) await inner.upload(key, 'BYTES')
          return info
        },
      })),
    })
    const { uploadId } = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    await world.store.upload(`default/.stowage/staging/${uploadId}`, 'bytes')
    await expect(world.files.finalize(uploadId!)).rejects.toSatisfy(hasCode('precondition-failed'))
    expect(await seenBy(world.files, 'a.txt')).toEqual(NOTHING)
  })

  it('stays as it is when its URL is used again', async () => {
    const world = recorded()
    const { uploadId } = await world.files.signedUpload('a.txt', { expiresIn: 60 })
    const staging = `default/.stowage/staging/${uploadId}`
    await world.store.upload(staging, 'bytes')
    await world.files.finalize(uploadId!)
    await world.store.upload(staging, 'other')
    expect(await (await world.files.download('a.txt')).text()).toBe('bytes')
    world.advance(20 * MINUTE)
    await world.files.recover()
    world.advance(61 * MINUTE)
    await world.files.recover()
    expect(await world.stored()).toEqual([await world.files.physicalKey('a.txt')])
  })
})

describe('a restored file', () => {
  it('is what was deleted: other bytes are an alarm, and the deleted file stays restorable', async () => {
    let cut = 1
    const { files, events } = recorded({
      restoreMs: 10 * MINUTE,
      through: changed(inner => ({
        async copy(from, to, options) {
          const info = await inner.copy(from, to, options)
          const isCut = from.includes('.stowage/trash') && cut-- > 0
          return isCut ? inner.upload(to, 'byt') : info
        },
      })),
    })
    await files.upload('a.txt', 'bytes')
    await files.delete('a.txt')
    await expect(files.restore('a.txt')).rejects.toThrow(
      /the record says 5 bytes, the store has copied 3; run an audit/,
    )
    expect(events).toContainEqual(expect.objectContaining({ kind: 'bytes-differ', severity: 'alarm' }))
    expect(await seenBy(files, 'a.txt')).toEqual(NOTHING)
    await files.restore('a.txt')
    expect(await (await files.download('a.txt')).text()).toBe('bytes')
  })
})

describe('a grace', () => {
  it('is counted by the store’s clock, wherever this machine’s goes', async () => {
    let ahead = 0
    const world: Recorded = recorded({ now: () => world.now() + ahead })
    await world.files.upload('a.txt', 'old')
    await world.files.upload('a.txt', 'new')
    for (const hours of [24, -24]) {
      ahead = hours * 60 * MINUTE
      for (const files of [world.files, world.another()]) await files.recover()
      expect(await world.stored()).toHaveLength(2)
    }
    world.advance(16 * MINUTE)
    await world.files.recover()
    expect(await world.stored()).toHaveLength(1)
  })

  it('is whole for what is replaced after this machine has slept, its other clock with it', async () => {
    let slept = 0
    const world: Recorded = recorded({ monotonic: () => world.now() - slept })
    await world.files.upload('a.txt', 'old')
    world.advance(8 * 60 * MINUTE)
    slept = 8 * 60 * MINUTE
    await world.files.upload('a.txt', 'new')
    await world.another().recover()
    expect(await world.stored()).toHaveLength(2)
  })
})
