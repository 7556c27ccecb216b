import { describe, expect, it } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { listingOf } from '../../../src/core/listing.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward } from '../../../src/decorators/forward.ts'
import { planSetting } from './plan-setting.ts'

/** `inner`, whose lists wait for `before` and tell of it when a page is asked for. */
function listed(inner: StorageProvider, before: () => unknown): StorageProvider {
  return forward(inner, {
    list(options) {
      const list = inner.list(options)
      return listingOf({
        page: given => list.page(given),
        async *pages() {
          await before()
          options?.signal?.throwIfAborted()
          yield* list.pages()
        },
      })
    },
  })
}

describe('the two lists of a plan', () => {
  it('are read side by side where nothing is left to copy, and one after the other elsewhere', async () => {
    const asked: string[] = []
    let waits = false
    let reached: () => void = () => {}
    const destinationAsked = new Promise<void>(resolve => {
      reached = resolve
    })
    const store = memory()
    await store.upload('a', 'a')
    const setting = await planSetting({
      from: listed(store, async () => {
        asked.push('source')
        // Hangs for ever where the destination is asked for behind the source only.
        if (waits) await destinationAsked
      }),
      to: listed(memory(), () => {
        asked.push('destination')
        if (waits) reached()
      }),
    })
    await setting.plan()
    expect(asked).toEqual(['source', 'destination'])
    await setting.copy()
    asked.length = 0
    waits = true
    const plan = await setting.plan()
    expect(plan).toMatchObject({ toCopy: { objects: 0 }, copied: { objects: 1 }, since: { lost: 0 } })
    expect(asked.sort()).toEqual(['destination', 'source'])
  })

  it('end together where the source fails', async () => {
    let ended: () => void = () => {}
    const destinationEnded = new Promise<void>(resolve => {
      ended = resolve
    })
    let fails = false
    const store = memory()
    await store.upload('a', 'a')
    const inner = memory()
    const to = forward(inner, {
      list(options) {
        if (fails) options!.signal!.addEventListener('abort', () => ended())
        return inner.list(options)
      },
    })
    const from = listed(store, () => {
      if (fails) throw new Error('the source is down')
    })
    const setting = await planSetting({ from, to })
    await setting.plan()
    await setting.copy()
    fails = true
    await expect(setting.plan()).rejects.toThrow('the source is down')
    await destinationEnded
    fails = false
    expect(await setting.plan()).toMatchObject({ copied: { objects: 1 }, toCopy: { objects: 0 } })
  })
})
