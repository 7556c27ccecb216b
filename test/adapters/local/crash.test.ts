import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { keysOf, theRoot } from './a-root.ts'
import { theWorkers } from './workers.ts'

const STEPS = {
  upload: ['after temp', 'after body', 'after seal', 'before rename', 'after rename', 'after cleaning'],
  create: ['after temp', 'after body', 'after seal', 'before rename', 'after rename', 'after cleaning'],
  child: ['after seal', 'after stepping aside', 'before rename', 'after rename'],
  copy: ['after body', 'after seal', 'before rename', 'after rename', 'after cleaning'],
  move: ['before rename', 'after rename'],
  delete: ['after unlink', 'after cleaning'],
}
const CASES = Object.entries(STEPS).flatMap(([change, steps]) => steps.map(step => ({ change, step })))

describe('a process that is killed', () => {
  const root = theRoot()
  const workers = theWorkers()

  it.each(CASES)('at $change, $step, leaves the old object or the new, whole', async ({ change, step }) => {
    const files = await root.files()
    if (change !== 'create') await files.upload('k/object', 'old bytes', { metadata: { v: 'old' } })
    if (change === 'copy' || change === 'move') await files.upload('other', 'new bytes')
    const { signal } = await workers.start('die', await root.path(), { change, step }).ended
    expect(signal).toBe('SIGKILL')

    const reader = await root.files()
    for (const key of await keysOf(reader)) {
      const { bytes, metadata } = await wholeObject(reader, key)
      if (key === 'other') expect(bytes).toBe('new bytes')
      else expect([bytes, metadata]).toEqual([`${metadata?.v} bytes`, { v: metadata?.v }])
    }
    const kept = ['k/object', 'k/object/child', 'other']
    expect(kept).toEqual(expect.arrayContaining(await keysOf(reader)))
    if (change === 'upload' || change === 'child' || change === 'copy')
      expect(await reader.exists('k/object')).toBe(true)
    if (change === 'move')
      expect((await reader.exists('other')) || (await reader.info('k/object')).metadata?.v === 'new').toBe(
        true,
      )

    await clear(reader)
    const { tmp, locks } = await root.own()
    expect({ tmp, locks }).toEqual({ tmp: [], locks: [] })
    // Attributes without a file are swept when they are old: see sweep.test.ts.
    expect((await root.own()).meta.length).toBeLessThanOrEqual(2)
  })

  it('at any moment, many times, leaves whole objects and nothing else in the lists', async () => {
    const files = await root.files()
    for (let round = 0; round < 12; round++) {
      const { child, ended } = workers.start('write', await root.path(), '')
      await pause(80 + Math.random() * 150)
      child.kill('SIGKILL')
      await ended
      for (const key of await keysOf(files)) {
        expect(['k/object', 'k/other']).toContain(key)
        const { bytes, metadata } = await wholeObject(files, key)
        expect(bytes.trimEnd()).toBe(`${key === 'k/object' ? 'new bytes' : 'other'} ${metadata?.v}`)
      }
    }
    await clear(await root.files())
    const { tmp, locks } = await root.own()
    expect({ tmp, locks }).toEqual({ tmp: [], locks: [] })
  })
})

async function wholeObject(files: StorageProvider, key: string) {
  const download = await files.download(key)
  const bytes = await download.text()
  expect(await files.info(key)).toEqual(download.info)
  expect(download.info.checksum?.algorithm).toBe('sha256')
  return { bytes, metadata: download.info.metadata }
}

/** The first change of a process sweeps; `close` waits for it. */
async function clear(files: StorageProvider): Promise<void> {
  await files.deleteMany(['k/object', 'k/object/child', 'k/other', 'other'])
  await files.upload('k/object', 'last')
  await files.delete('k/object')
  await files.close()
}
