import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import { defineProvider } from '../../src/core/define-provider.ts'
import type { Driver, SignRequest } from '../../src/core/driver.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import {
  faults,
  forward,
  limit,
  observe,
  prefix,
  readOnly,
  retry,
  timeout,
} from '../../src/decorators/index.ts'
import { withRecords } from '../../src/records/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'

/** The present, but standing still and on a whole second. */
const NOW = Math.floor(Date.now() / 1000) * 1000

const signing = { baseUrl: 'http://127.0.0.1:1/files', secret: 'a secret of the tests' }

/** Memory whose URLs live for five minutes where nothing else is asked for. */
function withDefault(): StorageProvider {
  const inner = memory({ signing, now: () => NOW })
  const { signedUrl } = inner.capabilities
  return forward(inner, {
    capabilities: { ...inner.capabilities, signedUrl: signedUrl && { ...signedUrl, defaultExpiresIn: 300 } },
    signedUrl: (key, options) => inner.signedUrl(key, { expiresIn: 300, ...options }),
    signedUrls: (keys, options) => inner.signedUrls(keys, { expiresIn: 300, ...options }),
  })
}

function secondsLeft({ expiresAt }: { expiresAt: Date }): number {
  return (expiresAt.getTime() - NOW) / 1000
}

describe('a lifetime that is left out', () => {
  it('is refused where the provider has no default', async () => {
    const files = memory({ signing })
    const refused = { code: 'invalid-argument', message: /expiresIn must be whole seconds/ }
    await expect(files.signedUrl('a')).rejects.toMatchObject({ code: refused.code })
    await expect(files.signedUrl('a')).rejects.toThrow(refused.message)
    await expect(files.signedUrls(['a'], {})).rejects.toThrow(refused.message)
  })

  it('is the default that a driver declares', async () => {
    const asked: SignRequest[] = []
    const driver = {
      name: 'tape',
      capabilities: withDefault().capabilities,
      signBatchSize: 10,
      concurrency: 1,
      async signMany(keys: string[], request: SignRequest) {
        asked.push(request)
        const value = { url: 'https://a.example', method: 'GET', headers: {}, expiresAt: new Date() }
        return keys.map(key => ({ key, ok: true, value }))
      },
      translate() {},
    }
    const files = defineProvider(driver as unknown as Driver)
    await files.signedUrl('a')
    await files.signedUrls(['a'], { method: 'HEAD' })
    await files.signedUrls(['a'], { expiresIn: 7 })
    expect(asked.map(request => request.expiresIn)).toEqual([300, 300, 7])
  })

  it.each<[string, (inner: StorageProvider) => StorageProvider]>([
    ['prefix', inner => prefix(inner, 'p/')],
    ['retry', retry],
    ['timeout', inner => timeout(inner, { timeoutMs: 1000 })],
    ['limit', inner => limit(inner, { concurrency: 1 })],
    ['observe', inner => observe(inner, () => {})],
    ['readOnly', readOnly],
    ['faults', inner => faults(inner, { seed: 1 })],
  ])('passes through %s', async (_, wrap) => {
    const files = wrap(withDefault())
    expect(files.capabilities.signedUrl).toMatchObject({ defaultExpiresIn: 300 })
    expect(secondsLeft(await files.signedUrl('a'))).toBe(300)
    const [result] = await files.signedUrls(['a'])
    expect(result).toMatchObject({ ok: true })
    expect(secondsLeft(result!.ok ? result!.value : { expiresAt: new Date(0) })).toBe(300)
  })

  it('passes through records', async () => {
    const files = withRecords(withDefault(), sqlite({ path: ':memory:' }), { tenant: 'a', env: {} })
    await files.upload('a', 'bytes')
    expect(files.capabilities.signedUrl).toMatchObject({ defaultExpiresIn: 300 })
    expect(secondsLeft(await files.signedUrl('a'))).toBe(300)
    await files.close()
  })
})
