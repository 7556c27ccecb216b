import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { isStorageError } from '../../../src/core/errors.ts'
import { theRoot } from './a-root.ts'
import { theWorkers } from './workers.ts'

describe('several processes on one root', () => {
  const root = theRoot()
  const workers = theWorkers()

  it('create each object once', async () => {
    const files = await root.files()
    const path = await root.path()
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => workers.run<{ pid: number; won: string[] }>('create', path, 60)),
    )
    const won = answers.flatMap(answer => answer.won)
    expect(won.length).toBe(60)
    expect(new Set(won).size).toBe(60)
    for (const { pid, won } of answers)
      for (const key of won) expect(await (await files.download(key)).text()).toBe(String(pid))
  })

  it('count to 50 by comparing and setting, five of them ten times', async () => {
    const files = await root.files()
    await files.upload('counter', '0')
    const path = await root.path()
    await Promise.all([1, 2, 3, 4, 5].map(() => workers.run('count', path, 10)))
    expect(await (await files.download('counter')).text()).toBe('50')
    expect((await root.own()).meta).toHaveLength(1)
  })

  it('never show bytes with the attributes of others', async () => {
    const files = await root.files()
    const path = await root.path()
    let running = true
    const churning = Promise.all([1, 2, 3].map(() => workers.run('churn', path, 150))).finally(() => {
      running = false
    })
    let seen = 0
    while (running) {
      try {
        const download = await files.download('churned')
        const text = await download.text()
        expect(text.replace(/\.+$/, '')).toBe(download.info.metadata?.tag)
        const listed = await files.list({ prefix: 'churned' }).page()
        for (const item of listed.items) expect(item).toHaveProperty('metadata.tag')
        seen++
      } catch (error) {
        if (!isStorageError(error, 'not-found')) throw error
      }
    }
    await churning
    expect(seen).toBeGreaterThan(10)
    await files.deleteMany(files.list())
    expect(await root.own()).toEqual({ tmp: [], locks: [], meta: [] })
  })

  it('wait for a lock whose holder runs, and take over one whose holder has ended', async () => {
    const files = await root.files()
    await files.upload('k/object', 'old')
    const { signal } = await workers.start('die', await root.path(), {
      change: 'upload',
      step: 'before rename',
    }).ended
    expect(signal).toBe('SIGKILL')
    expect((await root.own()).locks).toHaveLength(1)
    const others = [await root.files(), await root.files(), files]
    await Promise.all(others.map(other => other.upload('k/object', 'next')))
    expect((await root.own()).locks).toEqual([])
  })

  it('say which file to remove when the holder is on another machine and does not let go', async () => {
    const files = await root.files()
    await files.upload('a', 'old')
    const { Sidecars } = await import('../../../src/adapters/local/sidecar.ts')
    const lock = await root.path('.stowage', 'locks', new Sidecars('', key => key).keyHash('a'))
    await writeFile(lock, '00000000-00000000-1-1-00000000')
    const controller = new AbortController()
    const aborted = files.upload('a', 'new', { signal: controller.signal }).catch(error => error)
    controller.abort()
    expect(await aborted).toMatchObject({ code: 'aborted' })
    const error = await files.upload('a', 'new').catch(error => error)
    expect(error).toMatchObject({ code: 'conflict', retryable: true })
    expect(error.message).toContain(lock)
    expect(await (await files.download('a')).text()).toBe('old')
    expect((await root.own()).tmp).toEqual([])
  })
})
