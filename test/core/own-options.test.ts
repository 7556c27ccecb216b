import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { defineProvider } from '../../src/core/define-provider.ts'
import type { Driver, OwnValues } from '../../src/core/driver.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { limit, observe, prefix, retry, timeout } from '../../src/decorators/index.ts'
import { refused } from '../support/refused.ts'

const NAMES = ['also', 'transaction']
const ownOptions: Driver['ownOptions'] = {
  upload: NAMES,
  copy: NAMES,
  move: NAMES,
  delete: NAMES,
  deleteMany: NAMES,
  signedUpload: NAMES,
}

/** A driver with options of its own, which remembers what it was given of them. */
function ownDriver(): { files: StorageProvider; seen: [method: string, own: OwnValues][] } {
  const seen: [string, OwnValues][] = []
  const { capabilities } = memory({ signing: { baseUrl: 'http://host', secret: 's'.repeat(16) } })
  const info = { key: 'k', size: 1 }
  const noted = <T>(method: string, own: OwnValues, answer: T) => {
    seen.push([method, own])
    return Promise.resolve(answer)
  }
  const driver: Partial<Driver> = {
    name: 'own',
    capabilities,
    deleteBatchSize: 10,
    concurrency: 1,
    ownOptions,
    write: ({ own }) => noted('write', own, info),
    copy: ({ own }) => noted('copy', own, info),
    move: ({ own }) => noted('move', own, info),
    head: () => Promise.resolve(info),
    remove: ({ key, own }) => noted('remove', own, { key, status: 'gone' as const }),
    removeMany: (entries, { own }) =>
      noted(
        'removeMany',
        own,
        entries.map(({ key }) => ({ key, status: 'gone' as const })),
      ),
    signUpload: ({ own }) =>
      noted('signUpload', own, { method: 'PUT', url: '', headers: {}, expiresAt: new Date(0) }),
    translate: () => undefined,
  }
  return { files: defineProvider(driver as Driver), seen }
}

const CALLS: [method: string, call: (files: StorageProvider, options: object) => Promise<unknown>][] = [
  ['write', (files, options) => files.upload('k', 'x', options)],
  ['copy', (files, options) => files.copy('k', 'l', options)],
  ['move', (files, options) => files.move('k', 'l', options)],
  ['remove', (files, options) => files.delete('k', options)],
  ['removeMany', (files, options) => files.deleteMany(['k'], options)],
  ['signUpload', (files, options) => files.signedUpload('k', { expiresIn: 60, ...options })],
]

describe("a driver's own options", () => {
  it.each(CALLS)('are handed to %s, those that were given', async (method, call) => {
    const { files, seen } = ownDriver()
    const also = [{ sql: 'DELETE …' }]
    await call(files, { also, transaction: undefined })
    await call(files, {})
    expect(seen).toEqual([
      [method, { also }],
      [method, {}],
    ])
    expect(seen[0]![1].also).toBe(also)
  })

  it.each(CALLS)('pass through decorators on their way to %s', async (method, call) => {
    const { files, seen } = ownDriver()
    const wrapped = observe(
      prefix(retry(limit(timeout(files, { timeoutMs: 9_000 }), { concurrency: 2 })), 'tenant/'),
      () => {},
    )
    await call(wrapped, { also: 'this', timeoutMs: 9_000 })
    expect(seen).toEqual([[method, { also: 'this' }]])
  })

  it('are unknown where the driver does not name them, and named beside the known ones where it does', async () => {
    const { files } = ownDriver()
    await expect(files.info('k', { also: 1 } as object)).rejects.toThrow(refused(/unknown option 'also'/))
    await expect(memory().delete('k', { also: 1 } as object)).rejects.toThrow(
      refused(/unknown option 'also'/),
    )
    await expect(files.delete('k', { alos: 1 } as object)).rejects.toThrow(
      refused(/unknown option 'alos'; known are .*versionId, also, transaction/),
    )
  })
})
