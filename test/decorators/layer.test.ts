import { describe, expect, it } from 'vitest'
import { memory } from '../../src/adapters/memory.ts'
import type { Capabilities } from '../../src/core/capabilities.ts'
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

describe('layers', () => {
  it('are named outermost first', () => {
    const files = observe(
      prefix(
        readOnly(timeout(retry(limit(faults(memory(), { seed: 1 }), { concurrency: 1 })), { timeoutMs: 9 })),
        'a',
      ),
      () => {},
    )
    expect(files.capabilities.layers).toEqual([
      'observe',
      'prefix',
      'readOnly',
      'timeout',
      'retry',
      'limit',
      'faults',
    ])
  })

  it('keep the name of the adapter', () => {
    expect(retry(observe(memory(), () => {})).name).toBe('memory')
  })

  it('show at once what a probe finds out below', async () => {
    const store = memory()
    let createOnly: Capabilities['createOnly'] = 'unknown'
    const inner = forward(store, {
      get capabilities() {
        return { ...store.capabilities, createOnly }
      },
      async probe() {
        createOnly = true
        return store.capabilities
      },
    })
    const files = prefix(retry(inner), 'a/')
    expect(files.capabilities.createOnly).toBe('unknown')
    expect(await files.probe()).toMatchObject({ createOnly: true, layers: ['prefix', 'retry'] })
    expect(files.capabilities.createOnly).toBe(true)
  })

  it('close what they stand around', async () => {
    const store = memory()
    await observe(retry(store), () => {}).close()
    await expect(store.exists('a')).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})
